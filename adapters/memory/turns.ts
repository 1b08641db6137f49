import type { Clock } from "../../src/ports/clock.js";
import { Ring } from "../../src/util/ring.js";

/** What a part may move in one turn, so that one busy queue holds up neither the others nor the process's I/O. */
export const SHARE = 1_024;

/** How long parts that go on soon may do so before timers and sockets are served. */
const SPAN_MS = 2;

/** Something in the broker that can move: a queue with messages, a channel with frames under way. */
export interface Part {
  /** Kept by `Turns`: whether it waits for its turn. */
  awake: boolean;
  /** Moves at most a `SHARE`, and says whether there is more to move. */
  move(): boolean;
}

/** How the broker gets its turns. */
export interface TurnTimes {
  /** Calls `run` once the caller is done, soon, in the order of the calls. */
  schedule(run: () => void): void;
  /** Milliseconds, from wherever. */
  now(): number;
}

/**
 * Gives each part that was woken its turn, once per turn of the event loop: nothing that a caller hands over calls back
 * before the caller is done, what comes together moves together, and timers and sockets are served in between.
 */
export class Turns {
  readonly #awake = new Ring<Part>();
  readonly #soon = new Ring<Part>();
  readonly #times: TurnTimes;
  readonly #clock: Pick<Clock, "now">;
  /** Since a turn was scheduled: when somebody first asked. */
  #now: number | undefined;
  #scheduled = false;
  #turnStartedAt = 0;
  #paused = false;

  constructor(times: TurnTimes, clock: Pick<Clock, "now">) {
    this.#times = times;
    this.#clock = clock;
  }

  /** The time, for what comes by the thousand: read once between two turns. */
  get now(): number {
    if (!this.#scheduled) return this.#clock.now();
    this.#now ??= this.#clock.now();
    return this.#now;
  }

  /** True while nothing moves. */
  get paused(): boolean {
    return this.#paused;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  wake(part: Part): void {
    if (part.awake) return;
    part.awake = true;
    this.#awake.push(part);
    this.#schedule();
  }

  /** As `wake`, but in this turn of the event loop, once the caller is done, while there is time left in it. */
  wakeSoon(part: Part): void {
    if (part.awake) return;
    if (this.#paused || this.#times.now() - this.#turnStartedAt > SPAN_MS) {
      this.wake(part);
      return;
    }
    part.awake = true;
    this.#soon.push(part);
    queueMicrotask(this.#runSoon);
  }

  /** Calls `run` in the next turn, also while nothing moves. */
  next(run: () => void): void {
    this.#times.schedule(run);
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused || this.#awake.size === 0) return;
    this.#scheduled = true;
    this.#now = undefined;
    this.#times.schedule(this.#run);
  }

  readonly #run = (): void => {
    this.#scheduled = false;
    this.#turnStartedAt = this.#times.now();
    try {
      // Who is woken meanwhile has its turn next time.
      for (let left = this.#awake.size; left > 0 && !this.#paused; left -= 1) this.#move(this.#awake.shift());
    } finally {
      this.#schedule();
    }
  };

  readonly #runSoon = (): void => {
    const part = this.#soon.shift();
    if (!this.#paused) this.#move(part);
    else if (part !== undefined) this.#awake.push(part);
  };

  #move(part: Part | undefined): void {
    if (part === undefined) return;
    part.awake = false;
    // A callback that throws is its owner's fault; it must not leave the part asleep on its messages.
    let more = true;
    try {
      more = part.move();
    } finally {
      if (more) this.wake(part);
    }
  }
}
