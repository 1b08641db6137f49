const TICK_MS = 10;

export interface Pace {
  readonly perSecond: number;
  /** So many may be under way; while they are, nothing is begun, and what was missed is not made up for. */
  readonly most: number;
  /** Begins nothing more once it aborts. */
  readonly stopped?: AbortSignal | undefined;
}

/** Begins work at an even pace. */
export interface Pacer {
  readonly running: number;
  /** Begins nothing more. */
  stop(): void;
}

/** `begin` must not reject: it has its own way to tell. */
export function startPacer({ perSecond, most, stopped }: Pace, begin: () => Promise<void>): Pacer {
  let running = 0;
  let due = 0;
  let at = performance.now();
  const tick = (): void => {
    const now = performance.now();
    due = Math.min(due + ((now - at) * perSecond) / 1_000, perSecond / 10);
    at = now;
    for (; due >= 1 && running < most; due -= 1) {
      running += 1;
      void begin().finally(() => {
        running -= 1;
      });
    }
  };
  const timer = setInterval(tick, TICK_MS);
  const stop = (): void => {
    clearInterval(timer);
    stopped?.removeEventListener("abort", stop);
  };
  stopped?.addEventListener("abort", stop);
  if (stopped?.aborted === true) stop();
  return {
    get running() {
      return running;
    },
    stop,
  };
}
