import { type ClientDuplexStream, type StatusObject, status } from "@grpc/grpc-js";
import type { AckOutcome__Output } from "../gen/fairlead/v1/AckOutcome.js";
import type { DeliveredEvent__Output } from "../gen/fairlead/v1/DeliveredEvent.js";
import type { EventAck } from "../gen/fairlead/v1/EventAck.js";
import type { SubscribeRequest } from "../gen/fairlead/v1/SubscribeRequest.js";
import type { SubscribeResponse__Output } from "../gen/fairlead/v1/SubscribeResponse.js";
import type { AckOutcome } from "./ack-outcome.js";
import { isMissing, toCallFailure } from "./call-failure.js";
import { type EventSource, type EventSourceOptions, type IncomingEvent, toDate } from "./event-source.js";

const OUTCOME: Readonly<Record<AckOutcome__Output, AckOutcome>> = {
  // Newer than this client: told by somebody who knows what it came to.
  ACK_OUTCOME_UNSPECIFIED: "ok",
  ACK_OUTCOME_ACKED: "ok",
  ACK_OUTCOME_NACKED: "ok",
  ACK_OUTCOME_REPEATED: "ok",
  ACK_OUTCOME_LATE: "late",
  ACK_OUTCOME_UNKNOWN: "unknown",
  ACK_OUTCOME_UNCONFIRMED: "unconfirmed",
  ACK_OUTCOME_UNRESOLVED: "unresolved",
};

export interface EventsApiSourceOptions extends EventSourceOptions {
  /** The server does not have this service. Called instead of `onEnd`. */
  onMissing(): void;
}

type Stream = ClientDuplexStream<SubscribeRequest, SubscribeResponse__Output>;

/** A stream of fairlead.v1.Events: with credit for as many events as there are handlers, and acks on the same stream. */
export class EventsApiSource implements EventSource {
  readonly #options: EventsApiSourceOptions;
  readonly #unanswered = new Map<string, (outcome: AckOutcome | undefined) => void>();
  #stream: Stream | undefined;
  #credit: number;
  #acks: EventAck[] = [];
  #isOver = false;
  #isLive = false;
  #asksNoMore = false;

  constructor(options: EventsApiSourceOptions) {
    this.#options = options;
    this.#credit = options.concurrency;
    options.link.metadata().then(
      (metadata) => {
        if (this.#isOver) return;
        const stream: Stream = options.link.eventsApi.Subscribe(metadata);
        this.#stream = stream;
        stream.once("metadata", () => this.#live());
        stream.on("data", (response: SubscribeResponse__Output) => this.#take(response));
        // Told by the status too.
        stream.on("error", () => {});
        stream.once("status", (end: StatusObject) => this.#end(end.code === status.OK ? undefined : end));
        stream.write({ clientId: options.clientId, credit: this.#credit });
      },
      (error: unknown) => this.#end(error),
    );
  }

  /** One event is asked for with each that a handler is done with: never more wait here than there are handlers. */
  pause(): void {}

  resume(): void {}

  askNoMore(): void {
    this.#asksNoMore = true;
  }

  ack(ackToken: string, success: boolean): Promise<AckOutcome | undefined> {
    if (this.#isOver) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#unanswered.set(ackToken, resolve);
      if (!this.#asksNoMore) this.#credit += 1;
      this.#acks.push({ ackToken, success });
      // All that end in one turn travel together.
      if (this.#acks.length === 1) setImmediate(() => this.#flush());
    });
  }

  forget(ackToken: string): void {
    this.#unanswered.get(ackToken)?.(undefined);
    this.#unanswered.delete(ackToken);
  }

  cancel(): void {
    this.#stop();
    this.#stream?.cancel();
  }

  #flush(): void {
    const acks = this.#acks;
    this.#acks = [];
    if (!this.#isOver) this.#stream?.write({ acks, credit: this.#credit });
  }

  #live(): void {
    if (this.#isOver || this.#isLive) return;
    this.#isLive = true;
    this.#options.onLive();
  }

  #take({ events, acks }: SubscribeResponse__Output): void {
    if (this.#isOver) return;
    this.#live();
    for (const { ackToken, outcome } of acks) {
      this.#unanswered.get(ackToken)?.(OUTCOME[outcome]);
      this.#unanswered.delete(ackToken);
    }
    for (const event of events) this.#options.onEvent(toIncoming(event));
  }

  #end(error: unknown): void {
    if (this.#isOver) return;
    this.#stop();
    if (!this.#isLive && isMissing(error)) this.#options.onMissing();
    else this.#options.onEnd(error === undefined ? undefined : toCallFailure(error, "subscribe"));
  }

  #stop(): void {
    this.#isOver = true;
    for (const resolve of this.#unanswered.values()) resolve(undefined);
    this.#unanswered.clear();
  }
}

function toIncoming(event: DeliveredEvent__Output): IncomingEvent {
  const { ackToken, attempt, body, clientId, userToken, effectiveDate, searchKey1, searchKey2 } = event;
  return {
    body,
    clientId,
    searchKey1: BigInt(searchKey1),
    searchKey2: BigInt(searchKey2),
    token: userToken,
    effectiveDate: toDate(effectiveDate),
    attempt,
    ackToken,
  };
}
