import type { Cancel, Clock } from "../../src/ports/clock.js";

/** How long a reader of a call that has ended may stand still before its stream is given up. */
const STALL_MS = 300_000;
/** The same where nothing is left to be read but the status. */
const REFUSED_MS = 10_000;

/** The time between the last word of a call and the close of its stream, which waits for the reader: bounded here. */
export class Lingering {
  readonly #clock: Clock;
  readonly #giveUp: () => void;
  #waitMs: number | undefined;
  #timer: Cancel | undefined;

  constructor(clock: Clock, giveUp: () => void) {
    this.#clock = clock;
    this.#giveUp = giveUp;
  }

  /** The last word was said. `isRefused`: what was handed over before it is dropped. */
  start(isRefused: boolean): void {
    this.#waitMs = Math.min(this.#waitMs ?? STALL_MS, isRefused ? REFUSED_MS : STALL_MS);
    this.#arm();
  }

  /** The reader has taken something. */
  progress(): void {
    if (this.#waitMs !== undefined) this.#arm();
  }

  stop(): void {
    this.#timer?.();
    this.#timer = undefined;
    this.#waitMs = undefined;
  }

  #arm(): void {
    this.#timer?.();
    this.#timer = this.#clock.setTimer(this.#waitMs ?? STALL_MS, this.#giveUp);
  }
}
