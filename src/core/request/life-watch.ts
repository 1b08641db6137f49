import { Alarm, type SharedTimers } from "./shared-timers.js";

/** A call that is not named for so many intervals has lost its server. */
const INTERVALS = 3;

/** Watches for signs of life. One timer, moved by looking at the time of the last sign when it fires. */
export class LifeWatch extends Alarm {
  readonly #timers: SharedTimers;
  readonly #owner: { onSilence(): void };
  #intervalMs: number | undefined;
  #lastSign = 0;

  constructor(timers: SharedTimers, owner: { onSilence(): void }) {
    super();
    this.#timers = timers;
    this.#owner = owner;
  }

  /** The server lives; it says so at this interval, if it says one. Until one is known nothing is expected. */
  sign(intervalMs: number | undefined): void {
    this.#lastSign = this.#timers.now();
    if (intervalMs === undefined || intervalMs === this.#intervalMs) {
      if (this.index < 0 && this.#intervalMs !== undefined) this.#arm();
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
    this.#timers.clear(this);
  }

  ring(): void {
    const intervalMs = this.#intervalMs ?? 0;
    const now = this.#timers.now();
    if (now < this.#lastSign + INTERVALS * intervalMs) {
      this.#arm();
    } else if (now - this.at >= intervalMs) {
      // This process itself stood still: what came meanwhile has not been read yet.
      this.#lastSign = now - (INTERVALS - 1) * intervalMs;
      this.#arm();
    } else {
      this.#owner.onSilence();
    }
  }

  #arm(): void {
    this.#timers.set(this, this.#lastSign + INTERVALS * (this.#intervalMs ?? 0));
  }
}
