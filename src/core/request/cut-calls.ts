import type { Cancel, Clock } from "../../ports/clock.js";

/** A call whose caller has no inbox. */
export interface CutCall {
  /** Nobody has come back for it in time. */
  onGivenUp(): void;
}

/** Calls whose callers have no inbox, each for so long as that is waited for. */
export class CutCalls {
  readonly #clock: Clock;
  readonly #waitMs: number;
  readonly #calls = new Map<CutCall, Cancel>();

  constructor(clock: Clock, waitMs: number) {
    this.#clock = clock;
    this.#waitMs = waitMs;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** A second time for one that waits does nothing. */
  add(call: CutCall): void {
    if (this.#calls.has(call)) return;
    const cancel = this.#clock.setTimer(this.#waitMs, () => {
      this.#calls.delete(call);
      call.onGivenUp();
    });
    this.#calls.set(call, cancel);
  }

  /** Its caller is back, or it is over. */
  delete(call: CutCall): void {
    this.#calls.get(call)?.();
    this.#calls.delete(call);
  }
}
