import { Metadata, type ServerWritableStream } from "@grpc/grpc-js";
import type { DeliveredEvent, EventSink } from "../../src/events/index.js";
import { onAbort } from "../../src/util/abort.js";
import type { ErrorStatus } from "./errors.js";
import type { EventMsg } from "./gen/queue/EventMsg.js";
import type { SubscriptionRequest__Output } from "./gen/queue/SubscriptionRequest.js";
import { toEventMsg } from "./mapping.js";

export type SubscribeCall = ServerWritableStream<SubscriptionRequest__Output, EventMsg>;

/** One SubscribeEvents call, as a sink. */
export class EventStream implements EventSink {
  readonly #call: SubscribeCall;
  readonly #gone = new AbortController();
  #ending: Promise<void> | undefined;
  #endsLater = false;

  constructor(call: SubscribeCall) {
    this.#call = call;
    const gone = (): void => this.#gone.abort();
    call.once("cancelled", gone);
    call.once("close", gone);
    // At once, not with the first event: a client can tell that it is subscribed.
    call.sendMetadata(new Metadata());
  }

  /** Aborts when nobody reads any more: the client cancelled, its connection is lost, or the stream has ended. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Resolves once the transport took the whole event, which it does as the reader makes room. */
  async deliver(event: DeliveredEvent): Promise<boolean> {
    if (this.gone.aborted || this.#ending !== undefined) return false;
    const message = toEventMsg(event);
    return new Promise((resolve) => {
      // The library forgets the callbacks of a cancelled call.
      const forget = onAbort(this.gone, () => resolve(false));
      this.#call.write(message, (error: Error | null | undefined) => {
        forget();
        resolve(error === null || error === undefined);
      });
    });
  }

  /** Ends the call with OK. Resolves once that is on its way before anything that is sent from now on. */
  async end(): Promise<void> {
    if (!this.#endsLater) await this.finish();
  }

  /** From now on `end` leaves the call open: it ends when its connection does. */
  endLater(): void {
    this.#endsLater = true;
  }

  finish(): Promise<void> {
    this.#ending ??= this.#finish(() => this.#call.end());
    return this.#ending;
  }

  fail(error: ErrorStatus): Promise<void> {
    this.#ending ??= this.#finish(() => this.#call.emit("error", error));
    return this.#ending;
  }

  #finish(end: () => void): Promise<void> {
    return new Promise((resolve) => {
      if (this.gone.aborted) return resolve();
      const forget = onAbort(this.gone, resolve);
      this.#call.once("finish", () => {
        forget();
        // The trailers are written in a later turn than the one that tells of the end.
        setImmediate(() => setImmediate(resolve));
      });
      end();
    });
  }
}
