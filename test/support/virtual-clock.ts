import type { Cancel, Clock } from "../../src/ports/clock.js";

interface Timer {
  due: number;
  readonly order: number;
  readonly action: () => void;
}

/** Time that stands still until it is told to pass. */
export class VirtualClock implements Clock {
  #now = 1_000_000;
  #order = 0;
  readonly #timers = new Set<Timer>();

  /** Timers that have not fired: a part that cleans up leaves none. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, action: () => void): Cancel {
    const timer: Timer = { due: this.#now + Math.max(0, ms), order: this.#order, action };
    this.#order += 1;
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** As when somebody sets the machine's clock, forward or back: what timers wait for stays as long. */
  setBy(ms: number): void {
    this.#now += ms;
    for (const timer of this.#timers) timer.due += ms;
  }

  /** Lets `ms` milliseconds pass: fires what falls due, in order, with all promises in between given their turn. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await this.settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.due);
      next.action();
      await this.settle();
    }
    this.#now = end;
  }

  /** Gives every promise and immediate that is ready its turn, without letting time pass. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.due > end) continue;
      if (first === undefined || timer.due < first.due || (timer.due === first.due && timer.order < first.order)) {
        first = timer;
      }
    }
    return first;
  }
}
