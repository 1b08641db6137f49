import type { Clock } from "../../ports/clock.js";

const MAX_KEPT = 10_000;
const KEPT_MS = 60_000;

/** Aborts that came before their request: it need not be started. Bounded; nothing depends on it. */
export class AbortsSeen {
  readonly #clock: Clock;
  /** The oldest first. */
  readonly #seen = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#seen.size;
  }

  add(id: string): void {
    const now = this.#clock.now();
    this.#seen.delete(id);
    this.#seen.set(id, now);
    for (const [oldest, at] of this.#seen) {
      if (this.#seen.size <= MAX_KEPT && now - at < KEPT_MS) break;
      this.#seen.delete(oldest);
    }
  }

  has(id: string): boolean {
    const at = this.#seen.get(id);
    return at !== undefined && this.#clock.now() - at < KEPT_MS;
  }
}
