import type { AckOutcome } from "./ack-outcome.js";
import type { EventSource, EventSourceOptions } from "./event-source.js";
import { EventsApiSource } from "./events-api-source.js";
import { QueueApiSource } from "./queue-api-source.js";

/** fairlead.v1.Events where the server has it, otherwise queue.QueueApi. */
export class BestSource implements EventSource {
  #source: EventSource;

  constructor(options: EventSourceOptions) {
    const { link } = options;
    this.#source = link.hasEventsApi
      ? new EventsApiSource({
          ...options,
          onMissing: () => {
            link.hasEventsApi = false;
            this.#source = new QueueApiSource(options);
          },
        })
      : new QueueApiSource(options);
  }

  pause(): void {
    this.#source.pause();
  }

  resume(): void {
    this.#source.resume();
  }

  askNoMore(): void {
    this.#source.askNoMore();
  }

  ack(ackToken: string, success: boolean): Promise<AckOutcome | undefined> {
    return this.#source.ack(ackToken, success);
  }

  forget(ackToken: string): void {
    this.#source.forget(ackToken);
  }

  cancel(): void {
    this.#source.cancel();
  }
}
