import type { Cancel, Clock } from "../../ports/clock.js";

/** Something that is to happen at a time. It is its own entry in the table, so that an idle call costs no closures. */
export abstract class Alarm {
  /** Kept by the timers. */
  at = 0;
  order = 0;
  /** Its place in the heap; -1: it is not set. */
  index = -1;

  /** Its time has come. Not set any more by then. */
  abstract ring(): void;
}

class ActionAlarm extends Alarm {
  readonly #action: () => void;

  constructor(action: () => void) {
    super();
    this.#action = action;
  }

  ring(): void {
    this.#action();
  }
}

/** A clock whose timers share one timer of the clock below, set for the earliest: thousands of calls cost little. */
export class SharedTimers implements Clock {
  readonly #clock: Clock;
  /** The earliest on top. */
  readonly #heap: Alarm[] = [];
  #orders = 0;
  #timer: Cancel | undefined;
  #timerAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#heap.length;
  }

  now(): number {
    return this.#clock.now();
  }

  setTimer(ms: number, action: () => void): Cancel {
    const alarm = new ActionAlarm(action);
    this.set(alarm, this.#clock.now() + Math.max(0, ms));
    return () => this.clear(alarm);
  }

  /** Sets it, or moves it. */
  set(alarm: Alarm, at: number): void {
    this.#remove(alarm);
    this.#orders += 1;
    alarm.at = at;
    alarm.order = this.#orders;
    this.#heap.push(alarm);
    this.#up(alarm, this.#heap.length - 1);
    this.#arm();
  }

  clear(alarm: Alarm): void {
    this.#remove(alarm);
    if (this.#heap.length > 0 || this.#timer === undefined) return;
    // Nothing is left to wait for, so that a process may end.
    this.#timer();
    this.#timer = undefined;
  }

  #arm(): void {
    const first = this.#heap[0];
    // A timer that is too early costs one look; it is not worth a new one.
    if (first === undefined || (this.#timer !== undefined && this.#timerAt <= first.at)) return;
    this.#timer?.();
    this.#timerAt = first.at;
    this.#timer = this.#clock.setTimer(Math.max(0, first.at - this.#clock.now()), this.#fire);
  }

  readonly #fire = (): void => {
    this.#timer = undefined;
    const now = this.#clock.now();
    try {
      for (let first = this.#heap[0]; first !== undefined && first.at <= now; first = this.#heap[0]) {
        this.#remove(first);
        first.ring();
      }
    } finally {
      // Also when one throws: the others are due all the same.
      this.#arm();
    }
  };

  #remove(entry: Alarm): void {
    const { index } = entry;
    if (index < 0) return;
    entry.index = -1;
    const last = this.#heap.pop();
    if (last !== undefined && last !== entry) {
      this.#up(last, index);
      this.#down(last, last.index);
    }
  }

  #up(entry: Alarm, from: number): void {
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#heap[above] as Alarm;
      if (!isBefore(entry, parent)) break;
      this.#place(parent, index);
      index = above;
    }
    this.#place(entry, index);
  }

  #down(entry: Alarm, from: number): void {
    let index = from;
    for (;;) {
      let below = 2 * index + 1;
      const left = this.#heap[below];
      if (left === undefined) break;
      const right = this.#heap[below + 1];
      let child = left;
      if (right !== undefined && isBefore(right, left)) {
        child = right;
        below += 1;
      }
      if (!isBefore(child, entry)) break;
      this.#place(child, index);
      index = below;
    }
    this.#place(entry, index);
  }

  #place(entry: Alarm, index: number): void {
    this.#heap[index] = entry;
    entry.index = index;
  }
}

function isBefore(one: Alarm, other: Alarm): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
