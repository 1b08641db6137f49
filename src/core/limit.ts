import { MessagingError } from "../errors/messaging-error.js";
import type { Cancel, Clock } from "../ports/clock.js";
import { onAbort } from "../util/abort.js";
import type { Ending } from "../util/ending.js";

export interface LimitOptions {
  readonly clock: Clock;
  /** What is attempted, for the errors: "publish to orders". */
  readonly what: string;
  readonly timeoutMs?: number | undefined;
  /** The caller's own signal: `ABORTED`. */
  readonly signal?: AbortSignal | undefined;
  /** What the operation hangs on: it rejects with the reason of the first that ends. */
  readonly ended?: readonly Ending<MessagingError>[] | undefined;
  /** The last failure, as the cause of a timeout. */
  readonly lastError?: (() => unknown) | undefined;
}

/**
 * The bound of one operation over all its waits: a deadline, the caller's signal and the end of what it hangs on. Once it
 * fires, the wait that is on, and each later one, rejects. `dispose` takes timer and listeners away.
 */
export class Limit {
  #error: MessagingError | undefined;
  #reject: ((error: MessagingError) => void) | undefined;
  readonly #cancels: Cancel[] = [];

  constructor({ clock, what, timeoutMs, signal, ended = [], lastError }: LimitOptions) {
    if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) {
      const timedOut = (): void => this.#fire(timeoutError(what, timeoutMs, lastError?.()));
      this.#cancels.push(clock.setTimer(timeoutMs, timedOut));
    }
    if (signal !== undefined) {
      const aborted = (): void => this.#fire(abortError(what, signal));
      this.#cancels.push(onAbort(signal, aborted));
    }
    for (const ending of ended) {
      const over = (): void => this.#fire(endError(what, ending));
      this.#cancels.push(ending.onEnd(over));
    }
  }

  get error(): MessagingError | undefined {
    return this.#error;
  }

  throwIfOver(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  /**
   * The promise's outcome, or the limit's error if that comes first. A result that arrives late goes to `late`. One wait
   * at a time.
   */
  race<T>(promise: Promise<T>, late?: (value: T) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let over = false;
      const fire = (error: MessagingError): void => {
        over = true;
        reject(error);
      };
      this.#reject = fire;
      promise.then(
        (value) => {
          if (this.#reject === fire) this.#reject = undefined;
          if (over) late?.(value);
          else resolve(value);
        },
        (error: unknown) => {
          if (this.#reject === fire) this.#reject = undefined;
          // After the limit fired nobody waits for this error any more: the caller has been told of the limit.
          if (!over) reject(error);
        },
      );
      if (this.#error !== undefined) fire(this.#error);
    });
  }

  dispose(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.length = 0;
    this.#reject = undefined;
  }

  #fire(error: MessagingError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#reject?.(error);
    this.#reject = undefined;
  }
}

export function timeoutError(what: string, timeoutMs: number, cause: unknown): MessagingError {
  const why = cause instanceof Error ? `; the last failure: ${cause.message}` : "";
  return new MessagingError("UNAVAILABLE", `${what}: no success within ${timeoutMs} ms${why}`, { cause });
}

export function abortError(what: string, signal: AbortSignal): MessagingError {
  return new MessagingError("ABORTED", `${what}: aborted by its signal`, { cause: signal.reason });
}

export function endError(what: string, { reason }: Ending<MessagingError>): MessagingError {
  return reason ?? new MessagingError("CLOSED", `${what}: closed meanwhile`);
}

/** Waits on the clock, within the limit. */
export async function pause(clock: Clock, ms: number, limit: Limit): Promise<void> {
  let cancel: Cancel = () => {};
  try {
    await limit.race(
      new Promise<void>((resolve) => {
        cancel = clock.setTimer(ms, resolve);
      }),
    );
  } finally {
    cancel();
  }
}
