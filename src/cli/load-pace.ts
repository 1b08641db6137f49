export interface LoadPaceOptions {
  /** Events per second, once warm. */
  readonly rate: number;
  /** From nothing to the full rate, along a straight line. 0: at once. */
  readonly warmupMs: number;
}

/** What was not begun in this time, because the server could not keep up, is not made up for. */
const MOST_BEHIND_MS = 1_000;

/** How many events are due. */
export class LoadPace {
  readonly #rate: number;
  readonly #warmupMs: number;
  #elapsedMs = 0;
  #due = 0;

  constructor({ rate, warmupMs }: LoadPaceOptions) {
    this.#rate = rate;
    this.#warmupMs = warmupMs;
  }

  /** How many may begin now, so many milliseconds after the start; those that do not are to be taken off with `begin`. */
  dueAt(elapsedMs: number): number {
    this.#due += this.#total(elapsedMs) - this.#total(this.#elapsedMs);
    this.#elapsedMs = elapsedMs;
    this.#due = Math.min(this.#due, Math.max(1, (this.#rate * MOST_BEHIND_MS) / 1_000));
    return Math.floor(this.#due);
  }

  begin(events: number): void {
    this.#due -= events;
  }

  /** Since the start, were nobody ever behind. */
  #total(elapsedMs: number): number {
    const warm = Math.min(elapsedMs, this.#warmupMs);
    const ramp = this.#warmupMs === 0 ? 0 : (this.#rate * warm * warm) / (2 * this.#warmupMs);
    return (ramp + this.#rate * (elapsedMs - warm)) / 1_000;
  }
}
