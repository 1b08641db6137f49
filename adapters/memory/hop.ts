import type { Cancel, Clock, Random } from "../../src/ports/clock.js";
import { Ring } from "../../src/util/ring.js";
import { type Part, SHARE, type Turns } from "./turns.js";

/** The shortest and the longest time that one hop takes. */
export interface Latency {
  readonly minMs: number;
  readonly maxMs: number;
}

/** How fast things travel on one connection. */
export interface Pace {
  readonly turns: Turns;
  readonly clock: Clock;
  readonly random: Random;
  /** Undefined: in the next turn of the event loop. */
  readonly latency: Latency | undefined;
}

/** One way of one channel: what is pushed arrives later, in order. One timer, for the first that is under way. */
export class Hop<T> implements Part {
  awake = false;
  readonly #pace: Pace;
  readonly #arrive: (item: T) => void;
  readonly #items = new Ring<T>();
  /** In step with the items; unused without latency. */
  readonly #dueAt = new Ring<number>();
  #lastDueAt = 0;
  #timer: Cancel | undefined;
  #held = false;

  constructor(pace: Pace, arrive: (item: T) => void) {
    this.#pace = pace;
    this.#arrive = arrive;
  }

  /** How many are under way. */
  get size(): number {
    return this.#items.size;
  }

  push(item: T): void {
    const { latency, clock, random } = this.#pace;
    this.#items.push(item);
    if (latency !== undefined) {
      const takesMs = latency.minMs + random.fraction() * (latency.maxMs - latency.minMs);
      this.#lastDueAt = Math.max(this.#lastDueAt, clock.now() + takesMs);
      this.#dueAt.push(this.#lastDueAt);
    }
    this.#wake();
  }

  /** Lets nothing arrive, or lets it arrive again. */
  hold(isHeld: boolean): void {
    this.#held = isHeld;
    this.#wake();
  }

  /** Lets everything arrive at once. */
  flush(): void {
    for (const item of this.clear()) this.#arrive(item);
  }

  /** Takes back what is under way. */
  clear(): T[] {
    const items = [...this.#items];
    this.#items.clear();
    this.#dueAt.clear();
    this.#timer?.();
    this.#timer = undefined;
    return items;
  }

  move(): boolean {
    for (let share = SHARE; share > 0; share -= 1) {
      if (this.#held || this.#items.size === 0) return false;
      if (this.#pace.turns.paused) return true;
      const dueAt = this.#dueAt.peek();
      if (dueAt !== undefined && dueAt > this.#pace.clock.now()) {
        this.#setTimer(dueAt);
        return false;
      }
      this.#dueAt.shift();
      this.#arrive(this.#items.shift() as T);
    }
    return this.#items.size > 0;
  }

  #wake(): void {
    if (!this.#held && this.#timer === undefined && this.#items.size > 0) this.#pace.turns.wake(this);
  }

  #setTimer(dueAt: number): void {
    const { clock, turns } = this.#pace;
    this.#timer = clock.setTimer(Math.max(0, dueAt - clock.now()), () => {
      this.#timer = undefined;
      turns.wake(this);
    });
  }
}
