import { Metadata, type ServerDuplexStream } from "@grpc/grpc-js";
import type { AckOutcome, DeliveredEvent } from "../../src/events/index.js";
import { onAbort } from "../../src/util/abort.js";
import { toWireEvent, toWireOutcome } from "./events-mapping.js";
import { FrameWriter } from "./frame-writer.js";
import type { AckResult } from "./gen/fairlead/v1/AckResult.js";
import type { DeliveredEvent as WireEvent } from "./gen/fairlead/v1/DeliveredEvent.js";
import type { SubscribeRequest__Output } from "./gen/fairlead/v1/SubscribeRequest.js";
import type { SubscribeResponse } from "./gen/fairlead/v1/SubscribeResponse.js";
import { StreamEnd } from "./stream-end.js";
import type { SubscriberStream } from "./subscriber-streams.js";

export type SubscribeCall = ServerDuplexStream<SubscribeRequest__Output, SubscribeResponse>;

/** Events that come in one turn go in one message, up to so many bytes. */
const MESSAGE_BYTES = 131_072;
/** What an event or an ack weighs beside its body. */
const ENTRY_BYTES = 128;

/** Acks that are not answered; then no more are read. */
const MAX_ACKS = 1_000;

/** What goes out on one Subscribe call: events, and outcomes of acks. */
export class SubscribeStream implements SubscriberStream {
  readonly ending: StreamEnd;
  readonly #onProgress: () => void;
  readonly #writer: FrameWriter<SubscribeResponse>;
  #events: WireEvent[] = [];
  #acks: AckResult[] = [];
  #bytes = 0;
  #unanswered = 0;
  #sendsSoon = false;
  #onAnswered: (() => void) | undefined;
  #onRoom: ((isThere: boolean) => void) | undefined;

  constructor(call: SubscribeCall, onProgress: () => void) {
    this.#onProgress = onProgress;
    this.ending = new StreamEnd(call);
    this.#writer = new FrameWriter({
      stream: call,
      bodyBytes: weightOf,
      onWritten: () => this.#written(),
    });
    onAbort(this.ending.gone, () => this.#drop());
    // At once, not with the first event: a client can tell that it has reached us.
    call.sendMetadata(new Metadata());
  }

  /** There is no room for answers: acks have to wait. */
  get isFull(): boolean {
    return this.#unanswered >= MAX_ACKS || this.#writer.isFull;
  }

  deliver(event: DeliveredEvent): boolean | Promise<boolean> {
    if (this.ending.hasBegun) return false;
    this.#events.push(toWireEvent(event));
    this.#sendSoon(event.body.byteLength);
    if (!this.#writer.isFull) return true;
    return new Promise((resolve) => {
      this.#onRoom = resolve;
    });
  }

  /** Tells what the ack came to, once that is known. */
  answer(ackToken: string, ack: Promise<AckOutcome>): void {
    this.#unanswered += 1;
    const done = (outcome: AckOutcome): void => {
      this.#unanswered -= 1;
      if (!this.ending.hasBegun) {
        this.#acks.push({ ackToken, outcome: toWireOutcome(outcome) });
        this.#sendSoon(ackToken.length);
      }
      if (this.#unanswered === 0) this.#onAnswered?.();
      this.#onProgress();
    };
    ack.then(done, () => done("unconfirmed"));
  }

  /** Resolves when all acks are answered. */
  answered(): Promise<void> {
    if (this.#unanswered === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onAnswered = resolve;
    });
  }

  end(): Promise<void> {
    this.#send();
    return this.ending.end();
  }

  finish(): Promise<void> {
    this.#send();
    return this.ending.finish();
  }

  #sendSoon(bytes: number): void {
    this.#bytes += bytes + ENTRY_BYTES;
    if (this.#bytes >= MESSAGE_BYTES) this.#send();
    if (this.#sendsSoon || this.#bytes === 0) return;
    this.#sendsSoon = true;
    setImmediate(() => {
      this.#sendsSoon = false;
      this.#send();
    });
  }

  #send(): void {
    const events = this.#events;
    const acks = this.#acks;
    if (this.ending.hasBegun || events.length + acks.length === 0) return;
    this.#events = [];
    this.#acks = [];
    this.#bytes = 0;
    this.#writer.write({ events, acks });
  }

  #written(): void {
    if (!this.#writer.isFull) this.#resolveRoom(true);
    this.#onProgress();
  }

  #drop(): void {
    this.#events = [];
    this.#acks = [];
    this.#writer.close();
    this.#resolveRoom(false);
  }

  #resolveRoom(isThere: boolean): void {
    const onRoom = this.#onRoom;
    this.#onRoom = undefined;
    onRoom?.(isThere);
  }
}

function weightOf({ events = [], acks = [] }: SubscribeResponse): number {
  let bytes = 0;
  for (const { body } of events) bytes += ENTRY_BYTES + (body instanceof Uint8Array ? body.byteLength : 0);
  for (const { ackToken = "" } of acks) bytes += ENTRY_BYTES + ackToken.length;
  return bytes;
}
