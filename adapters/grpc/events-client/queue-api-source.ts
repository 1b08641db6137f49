import { type ClientReadableStream, type StatusObject, status } from "@grpc/grpc-js";
import type { EventMsg__Output } from "../gen/queue/EventMsg.js";
import { toCallFailure } from "./call-failure.js";
import { type EventSource, type EventSourceOptions, type IncomingEvent, toDate } from "./event-source.js";

/** A stream of queue.QueueApi, which any server of that contract has. */
export class QueueApiSource implements EventSource {
  readonly #options: EventSourceOptions;
  #stream: ClientReadableStream<EventMsg__Output> | undefined;
  #isPaused = false;
  #isOver = false;
  #isLive = false;

  constructor(options: EventSourceOptions) {
    this.#options = options;
    options.link.metadata().then(
      (metadata) => {
        if (this.#isOver) return;
        const stream = options.link.queueApi.SubscribeEvents({ clientId: options.clientId }, metadata);
        this.#stream = stream;
        stream.once("metadata", () => this.#live());
        stream.on("data", (event: EventMsg__Output) => this.#take(event));
        // Told by the status too, which also comes while what was read before it waits.
        stream.on("error", () => {});
        stream.once("status", (end: StatusObject) => this.#end(end.code === status.OK ? undefined : end));
        if (this.#isPaused) stream.pause();
      },
      (error: unknown) => this.#end(error),
    );
  }

  pause(): void {
    this.#isPaused = true;
    this.#stream?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#stream?.resume();
  }

  /** The server is not asked. */
  askNoMore(): void {}

  /** By a call of its own. */
  async ack(): Promise<undefined> {}

  forget(): void {}

  cancel(): void {
    this.#isOver = true;
    this.#stream?.cancel();
    // What the library holds already is dropped.
    this.#stream?.resume();
  }

  #live(): void {
    if (this.#isOver || this.#isLive) return;
    this.#isLive = true;
    this.#options.onLive();
  }

  #take(event: EventMsg__Output): void {
    if (this.#isOver) return;
    this.#live();
    this.#options.onEvent(toIncoming(event));
  }

  #end(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stream?.resume();
    this.#options.onEnd(error === undefined ? undefined : toCallFailure(error, "subscribe"));
  }
}

function toIncoming(event: EventMsg__Output): IncomingEvent {
  const { eventJson, clientId, userToken, futureUserToken, searchKey1, searchKey2, effectiveDate } = event;
  return {
    body: Buffer.from(eventJson, "utf8"),
    clientId,
    searchKey1: BigInt(searchKey1),
    searchKey2: BigInt(searchKey2),
    token: futureUserToken,
    effectiveDate: toDate(effectiveDate),
    attempt: undefined,
    ackToken: userToken,
  };
}
