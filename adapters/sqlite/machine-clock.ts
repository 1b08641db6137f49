/** Milliseconds since the epoch, never back: where the machine's clock is set back, this one goes on from where it was. */
export class MachineClock {
  #ahead = 0;
  #last = 0;

  now(): number {
    const now = Date.now() + this.#ahead;
    if (now >= this.#last) {
      this.#last = now;
      return now;
    }
    this.#ahead += this.#last - now;
    return this.#last;
  }
}

/** A timer does not see that the clock was set, or that the machine slept: so it looks again after so long. */
const LOOK_AGAIN_MS = 30_000;

/** One timer, for the earliest of the times that were asked for. */
export class Alarm {
  readonly #clock: MachineClock;
  readonly #onTime: () => void;
  readonly #holdsProcess: boolean;
  #timer: NodeJS.Timeout | undefined;
  #at = Number.POSITIVE_INFINITY;

  /** `holdsProcess` false: the process may end while it waits. */
  constructor(clock: MachineClock, holdsProcess: boolean, onTime: () => void) {
    this.#clock = clock;
    this.#holdsProcess = holdsProcess;
    this.#onTime = onTime;
  }

  /** When it goes off; Infinity: not at all. */
  get at(): number {
    return this.#at;
  }

  /** At this time, unless it goes off before. Infinity changes nothing. */
  notAfter(at: number): void {
    if (at >= this.#at) return;
    this.stop();
    this.#at = at;
    this.#wait();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#at = Number.POSITIVE_INFINITY;
  }

  #wait(): void {
    const leftMs = Math.max(0, this.#at - this.#clock.now());
    this.#timer = setTimeout(() => this.#onTimer(), Math.min(leftMs, LOOK_AGAIN_MS));
    if (!this.#holdsProcess) this.#timer.unref();
  }

  #onTimer(): void {
    if (this.#clock.now() < this.#at) {
      this.#wait();
      return;
    }
    this.#timer = undefined;
    this.#at = Number.POSITIVE_INFINITY;
    this.#onTime();
  }
}
