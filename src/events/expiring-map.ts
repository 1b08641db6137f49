import type { Clock } from "../ports/clock.js";

export interface ExpiringMapOptions {
  readonly clock: Clock;
  /** At least one. */
  readonly limit: number;
  readonly memoryMs: number;
}

interface Entry<K, V> {
  readonly key: K;
  readonly at: number;
  readonly value: V;
}

/** Remembers the newest `limit` keys, each for `memoryMs` from when it was set. Needs no timer: what is over goes when more comes. */
export class ExpiringMap<K, V> {
  readonly #options: ExpiringMapOptions;
  readonly #entries = new Map<K, Entry<K, V>>();
  /** Stands behind the oldest: one that begins anew would have to pass the places of all that were deleted. */
  readonly #next = this.#entries.values();
  #oldest: Entry<K, V> | undefined;

  constructor(options: ExpiringMapOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined || this.#isOver(entry, this.#options.clock.now()) ? undefined : entry.value;
  }

  set(key: K, value: V): void {
    const { clock, limit } = this.#options;
    const now = clock.now();
    const entry: Entry<K, V> = { key, value, at: now };
    // To the end, wherever it was.
    if (this.#entries.has(key)) this.#entries.delete(key);
    this.#entries.set(key, entry);
    // It ends with this one at the latest: whoever looks behind the newest never finds anything again.
    for (let oldest = this.#first(); oldest !== undefined && oldest !== entry; oldest = this.#first()) {
      if (this.#entries.size <= limit && !this.#isOver(oldest, now)) return;
      this.#entries.delete(oldest.key);
    }
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }

  /** Whatever is there is this one, or comes behind it. */
  #first(): Entry<K, V> | undefined {
    while (this.#oldest === undefined || this.#entries.get(this.#oldest.key) !== this.#oldest) {
      const next = this.#next.next();
      if (next.done) return undefined;
      this.#oldest = next.value;
    }
    return this.#oldest;
  }

  #isOver({ at }: Entry<K, V>, now: number): boolean {
    return now - at >= this.#options.memoryMs;
  }
}
