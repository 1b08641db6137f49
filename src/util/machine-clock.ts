/** Node fires a longer timer at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The latest that was told. */
let latest = 0;
/** Since the machine's clock was set back: where ours stood, and what `performance.now()` was. */
let ahead: { readonly from: number; readonly since: number } | undefined;

/**
 * The machine's clock, which never goes back here: waits reckon with it, and would last longer by as much as it was set
 * back. Then it goes at half its pace until the machine's has caught up. Timers may be of any length, and are never early.
 */
export const machineClock = {
  now(): number {
    const wall = Date.now();
    // Asked for each message, mostly in the same millisecond: each number that is kept anew would be garbage.
    if (wall === latest && ahead === undefined) return latest;
    if (wall >= latest) {
      ahead = undefined;
      latest = wall;
    } else {
      ahead ??= { from: latest, since: performance.now() };
      latest = Math.floor(ahead.from + (performance.now() - ahead.since) / 2);
    }
    return latest;
  },
  setTimer(ms: number, action: () => void): () => void {
    let timer: NodeJS.Timeout;
    const wait = (leftMs: number): void => {
      timer =
        leftMs > LONGEST_TIMER_MS
          ? setTimeout(() => wait(leftMs - LONGEST_TIMER_MS), LONGEST_TIMER_MS)
          : setTimeout(action, Math.ceil(leftMs));
    };
    wait(Math.max(0, ms));
    return () => clearTimeout(timer);
  },
};
