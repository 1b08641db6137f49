import type { Cancel, Clock } from "../ports/clock.js";

/** Node fires a longer timer at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock. Long waits are cut into pieces that Node's timers can hold. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(ms: number, action: () => void): Cancel {
    let timer: NodeJS.Timeout;
    const wait = (left: number): void => {
      timer =
        left > LONGEST_TIMER_MS
          ? setTimeout(() => wait(left - LONGEST_TIMER_MS), LONGEST_TIMER_MS)
          : setTimeout(action, left);
    };
    wait(Math.max(0, ms));
    return () => clearTimeout(timer);
  },
};
