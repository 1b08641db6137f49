const LOOK_MS = 20;

let looks: NodeJS.Timeout | undefined;
let lookedAt = 0;
let usedMs = 0;
let disturbedMs = 0;

/** Of the time since the last look, what is neither the wait for the next one nor processor time was taken by the machine. */
function disturbedUntil(now: number): number {
  return disturbedMs + Math.max(0, now - lookedAt - LOOK_MS - (processorMs() - usedMs));
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** One time for all of it: the machine may stand still between any two lines. */
function look(): void {
  const now = performance.now();
  disturbedMs = disturbedUntil(now);
  lookedAt = now;
  usedMs = processorMs();
}

/**
 * Measures how long something takes, from when it is made. A machine that is busy, or stands still, keeps a process from
 * its timers and its sockets: that says nothing of what is measured. A call that blocks the process without work, as a wait
 * for the disk does, is not told from that.
 */
export class Stopwatch {
  readonly #startedAt: number;
  readonly #disturbedMs: number;

  constructor() {
    if (looks === undefined) {
      lookedAt = performance.now();
      usedMs = processorMs();
      looks = setInterval(look, LOOK_MS).unref();
    }
    this.#startedAt = performance.now();
    this.#disturbedMs = disturbedUntil(this.#startedAt);
  }

  /** Since it was made. For what must not come before its time. */
  get ms(): number {
    return performance.now() - this.#startedAt;
  }

  /**
   * Since it was made, without the time in which this process was kept from running. Its own work counts. For what must
   * not take longer than it says.
   */
  get undisturbedMs(): number {
    const now = performance.now();
    return now - this.#startedAt - (disturbedUntil(now) - this.#disturbedMs);
  }
}
