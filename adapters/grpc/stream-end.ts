import type { Writable } from "node:stream";
import { onAbort } from "../../src/util/abort.js";
import type { ErrorStatus } from "./errors.js";

/** How one streamed call ends: by us, once, or because nobody reads any more. */
export class StreamEnd {
  readonly #call: Writable;
  readonly #gone = new AbortController();
  #ending: Promise<void> | undefined;
  #endsLater = false;

  constructor(call: Writable) {
    this.#call = call;
    const gone = (): void => this.#gone.abort();
    call.once("cancelled", gone);
    call.once("close", gone);
  }

  /** Aborts when nobody reads any more: the client cancelled, its connection is lost, or the stream has ended. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Nothing may be written any more. */
  get hasBegun(): boolean {
    return this.#ending !== undefined || this.gone.aborted;
  }

  /** From now on `end` leaves the call open: it ends when its connection does. */
  endLater(): void {
    this.#endsLater = true;
  }

  /** Ends the call with OK, unless it is to end later. */
  async end(): Promise<void> {
    if (!this.#endsLater) await this.finish();
  }

  /** Ends the call with OK. Resolves once that is on its way before anything that is sent from now on. */
  finish(): Promise<void> {
    this.#ending ??= this.#finish(() => this.#call.end());
    return this.#ending;
  }

  /** As `finish`, with an error. */
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
