import { Alarm, type SharedTimers } from "./shared-timers.js";

/** A call that is not named for so many intervals has lost its server. */
const INTERVALS = 3;

/** A look that is later than this may count all the same where intervals are as short. */
const GRAIN_MS = 50;

/**
 * Watches for signs of life: looks once per interval, and calls it silence when there was none at three looks, each an
 * interval after the one before. So the time in which this process itself, or the whole machine, stood still counts for
 * one look at most: what came meanwhile has not been read yet, or was not sent.
 */
export class LifeWatch extends Alarm {
  readonly #timers: SharedTimers;
  readonly #owner: { onSilence(): void };
  #intervalMs: number | undefined;
  #atLeastMs = 0;
  #lastSign = 0;
  /** In vain, since the last sign. */
  #looks = 0;

  constructor(timers: SharedTimers, owner: { onSilence(): void }) {
    super();
    this.#timers = timers;
    this.#owner = owner;
  }

  /**
   * The server lives; it says so at this interval, if it says one. Until one is known nothing is expected. `atLeastMs`: the
   * next sign may take so long, whatever the interval.
   */
  sign(intervalMs: number | undefined, atLeastMs = 0): void {
    this.#lastSign = this.#timers.now();
    this.#looks = 0;
    const isSame = (intervalMs ?? this.#intervalMs) === this.#intervalMs && atLeastMs === this.#atLeastMs;
    this.#atLeastMs = atLeastMs;
    this.#intervalMs = intervalMs ?? this.#intervalMs;
    if (this.#intervalMs !== undefined && (!isSame || this.index < 0)) this.#timers.set(this, this.#firstLookAt);
  }

  /** The server's interval, where nothing more is expected of it. */
  note(intervalMs: number | undefined): void {
    this.#intervalMs = intervalMs ?? this.#intervalMs;
  }

  /** At which the server speaks; undefined until it has said so. */
  get intervalMs(): number | undefined {
    return this.#intervalMs;
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
    if (now < this.#firstLookAt) {
      this.#timers.set(this, this.#firstLookAt);
      return;
    }
    const isLate = now - this.at >= Math.max(intervalMs, GRAIN_MS);
    if (!isLate) this.#looks += 1;
    if (this.#looks < INTERVALS) this.#timers.set(this, now + intervalMs);
    else this.#owner.onSilence();
  }

  get #firstLookAt(): number {
    const intervalMs = this.#intervalMs ?? 0;
    return this.#lastSign + Math.max(intervalMs, this.#atLeastMs - (INTERVALS - 1) * intervalMs);
  }
}
