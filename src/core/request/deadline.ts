import type { Cancel, Clock } from "../../ports/clock.js";

/**
 * When a call is over if nothing moves it. Moving it costs no timer: one is set for the earliest time that it can be,
 * and set again if it has moved meanwhile.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #onOver: () => void;
  #end: number;
  /** While it stands still: until when at most. `#end` is then as if it had run on from `#heldSince`. */
  #heldUntil: number | undefined;
  #heldSince = 0;
  #timer: Cancel | undefined;
  #timerAt = 0;
  #isCancelled = false;

  constructor(clock: Clock, timeoutMs: number, onOver: () => void) {
    this.#clock = clock;
    this.#onOver = onOver;
    this.#end = clock.now() + timeoutMs;
    this.#arm(this.#end);
  }

  /** Milliseconds since the epoch. Moves on while it stands still. */
  get at(): number {
    if (this.#heldUntil === undefined) return this.#end;
    return this.#end + Math.min(this.#clock.now(), this.#heldUntil) - this.#heldSince;
  }

  /** Not before `ms` milliseconds from now. Never shortens. */
  extend(ms: number): void {
    const behind = this.#clock.now() + ms - this.at;
    if (behind > 0) this.#end += behind;
  }

  /** Stands still from now on, for at most `ms` milliseconds; called again, for so long anew. */
  hold(ms: number): void {
    const now = this.#clock.now();
    this.#end = this.at;
    this.#heldSince = now;
    this.#heldUntil = now + ms;
  }

  /** Runs on. */
  release(): void {
    if (this.#heldUntil === undefined) return;
    this.#end = this.at;
    this.#heldUntil = undefined;
    if (this.#timer !== undefined && this.#timerAt > this.#end) this.#arm(this.#end);
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#timer?.();
    this.#timer = undefined;
  }

  #arm(at: number): void {
    this.#timer?.();
    this.#timerAt = at;
    this.#timer = this.#clock.setTimer(Math.max(0, at - this.#clock.now()), this.#fire);
  }

  readonly #fire = (): void => {
    this.#timer = undefined;
    if (this.#isCancelled) return;
    const now = this.#clock.now();
    const latest = this.#heldUntil === undefined ? this.#end : this.#end + this.#heldUntil - this.#heldSince;
    if (now >= latest) {
      this.#isCancelled = true;
      this.#onOver();
    } else {
      this.#arm(latest);
    }
  };
}
