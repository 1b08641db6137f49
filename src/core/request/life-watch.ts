import type { Cancel, Clock } from "../../ports/clock.js";

/** A call that is not named for so many intervals has lost its server. */
const INTERVALS = 3;

/** Watches for signs of life. One timer, moved by looking at the time of the last sign when it fires. */
export class LifeWatch {
  readonly #clock: Clock;
  readonly #owner: { onSilence(): void };
  #intervalMs: number | undefined;
  #lastSign = 0;
  #timer: Cancel | undefined;
  #timerAt = 0;

  constructor(clock: Clock, owner: { onSilence(): void }) {
    this.#clock = clock;
    this.#owner = owner;
  }

  /** The server lives; it says so at this interval, if it says one. Until one is known nothing is expected. */
  sign(intervalMs: number | undefined): void {
    this.#lastSign = this.#clock.now();
    if (intervalMs === undefined || intervalMs === this.#intervalMs) {
      if (this.#timer === undefined && this.#intervalMs !== undefined) this.#arm();
      return;
    }
    this.#intervalMs = intervalMs;
    this.#arm();
  }

  /** Whoever spoke so far is not the one that is listened to. */
  forget(): void {
    this.cancel();
    this.#intervalMs = undefined;
  }

  cancel(): void {
    this.#timer?.();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer?.();
    const intervalMs = this.#intervalMs ?? 0;
    this.#timerAt = this.#lastSign + INTERVALS * intervalMs;
    this.#timer = this.#clock.setTimer(Math.max(0, this.#timerAt - this.#clock.now()), this.#fire);
  }

  readonly #fire = (): void => {
    this.#timer = undefined;
    const intervalMs = this.#intervalMs ?? 0;
    const now = this.#clock.now();
    if (now < this.#lastSign + INTERVALS * intervalMs) {
      this.#arm();
      return;
    }
    // This process itself stood still: what came meanwhile has not been read yet.
    if (now - this.#timerAt >= intervalMs) {
      this.#lastSign = now - (INTERVALS - 1) * intervalMs;
      this.#arm();
      return;
    }
    this.#owner.onSilence();
  };
}
