import { Alarm, type SharedTimers } from "./shared-timers.js";

export interface DeadlineOwner {
  /** Called once, at the deadline. */
  onDeadline(): void;
}

/**
 * When a call is over if nothing moves it. Moving it costs no timer: one is set for the earliest time that it can be,
 * and set again if it has moved meanwhile.
 */
export class Deadline extends Alarm {
  readonly #timers: SharedTimers;
  readonly #owner: DeadlineOwner;
  #end: number;
  /** While it stands still: until when at most. `#end` is then as if it had run on from `#heldSince`. */
  #heldUntil: number | undefined;
  #heldSince = 0;

  constructor(timers: SharedTimers, timeoutMs: number, owner: DeadlineOwner) {
    super();
    this.#timers = timers;
    this.#owner = owner;
    this.#end = timers.now() + timeoutMs;
    timers.set(this, this.#end);
  }

  /** Milliseconds since the epoch. Moves on while it stands still. */
  get endsAt(): number {
    return this.#heldUntil === undefined ? this.#end : this.#endsAt(this.#timers.now());
  }

  get isHeld(): boolean {
    return this.#heldUntil !== undefined;
  }

  /** Not before `ms` milliseconds from now. Never shortens. */
  extend(ms: number): void {
    const now = this.#timers.now();
    const behind = now + ms - this.#endsAt(now);
    if (behind > 0) this.#end += behind;
  }

  /** Stands still from now on, for at most `ms` milliseconds; called again, for so long anew. */
  hold(ms: number): void {
    const now = this.#timers.now();
    this.#end = this.#endsAt(now);
    this.#heldSince = now;
    this.#heldUntil = now + ms;
  }

  /** Runs on. */
  release(): void {
    if (this.#heldUntil === undefined) return;
    this.#end = this.endsAt;
    this.#heldUntil = undefined;
    if (this.index >= 0 && this.at > this.#end) this.#timers.set(this, this.#end);
  }

  cancel(): void {
    this.#timers.clear(this);
  }

  #endsAt(now: number): number {
    return this.#heldUntil === undefined ? this.#end : this.#end + Math.min(now, this.#heldUntil) - this.#heldSince;
  }

  ring(): void {
    const latest = this.#heldUntil === undefined ? this.#end : this.#end + this.#heldUntil - this.#heldSince;
    if (this.#timers.now() >= latest) this.#owner.onDeadline();
    else this.#timers.set(this, latest);
  }
}
