export interface Rate {
  /** What comes in for each second. */
  readonly perSecond: number;
  /** What may be taken at once after a rest. */
  readonly burst: number;
}

/** What sums of fractions may lack. */
const ALMOST = 1e-6;

/** So many things a second, and so many at once after a rest. Time is given, so that it costs no timer. */
export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #at: number;

  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#at = now;
  }

  /** Takes so much and returns 0, or takes nothing and returns how long to wait, in milliseconds. */
  take(now: number, count = 1): number {
    this.#fill(now);
    // Of more than there ever is at once, what there is will do: the rest is owed.
    const needed = Math.min(count, this.#rate.burst);
    if (this.#tokens + ALMOST < needed) return Math.ceil(((needed - this.#tokens) / this.#rate.perSecond) * 1_000);
    this.#tokens -= count;
    return 0;
  }

  isFull(now: number): boolean {
    this.#fill(now);
    return this.#tokens + ALMOST >= this.#rate.burst;
  }

  #fill(now: number): void {
    const { perSecond, burst } = this.#rate;
    if (now <= this.#at) return;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) / 1_000) * perSecond);
    this.#at = now;
  }
}
