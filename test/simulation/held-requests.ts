import type { QueueLane } from "./faulty-driver-options.js";
import type { Concurrency, FactOf } from "./journal.js";

/** How many requests each process holds, by sink and lane. */
export class HeldRequests {
  readonly #concurrencies = new Map<string, Concurrency>();
  readonly #counts = new Map<string, number>();

  /** How many of each sink a process may hold. */
  setConcurrency(process: string, concurrency: Concurrency): void {
    this.#concurrencies.set(process, concurrency);
  }

  /** What is to be noted: that there are more, where there is a limit. */
  add(process: string, { queue: sink, lane = "standard" }: QueueLane, more: number): FactOf<"held"> | undefined {
    const count = this.#add(`${process} ${sink} ${lane}`, more);
    const sum = this.#add(`${process} ${sink}`, more);
    const concurrency = this.#concurrencies.get(process);
    if (more <= 0 || concurrency === undefined) return undefined;
    return { type: "held", process, sink, lane, count, sum, concurrency };
  }

  #add(key: string, more: number): number {
    const count = (this.#counts.get(key) ?? 0) + more;
    this.#counts.set(key, count);
    return count;
  }
}
