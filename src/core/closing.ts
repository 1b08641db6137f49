import type { Cancel, Clock } from "../ports/clock.js";
import type { CloseOptions } from "../ports/lifecycle.js";
import { onAbort } from "../util/abort.js";
import { deferred } from "../util/deferred.js";
import { Ending } from "../util/ending.js";

const DEFAULT_DRAIN_MS = 30_000;

/** One close, however often it is asked for: the drain is over at the earliest deadline, or at the first signal. */
export class Closing {
  /** Ends when the time of the drain is over. */
  readonly over = new Ending<undefined>();
  readonly #clock: Clock;
  readonly #done = deferred<void>();
  readonly #cancels: Cancel[] = [];
  #isRequested = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isRequested(): boolean {
    return this.#isRequested;
  }

  /** Starts the drain, once, and bounds it. Resolves when it has ended; `drain` must not reject. */
  request({ drainMs = DEFAULT_DRAIN_MS, signal }: CloseOptions, drain: () => Promise<void>): Promise<void> {
    if (this.#done.settled) return this.#done.promise;
    const over = (): void => this.over.end(undefined);
    if (drainMs !== Number.POSITIVE_INFINITY) this.#cancels.push(this.#clock.setTimer(Math.max(0, drainMs), over));
    this.#cancels.push(onAbort(signal, over));
    if (!this.#isRequested) {
      this.#isRequested = true;
      void drain().then(() => {
        for (const cancel of this.#cancels) cancel();
        this.#done.resolve();
      });
    }
    return this.#done.promise;
  }
}
