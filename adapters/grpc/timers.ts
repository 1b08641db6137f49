import type { Clock } from "../../src/ports/clock.js";

/** Node fires a longer timer at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock. Long waits are cut into pieces that Node's timers can hold. */
export const timers: Clock = {
  now: () => Date.now(),
  setTimer(ms, action) {
    let timer: NodeJS.Timeout;
    const wait = (left: number): void => {
      const piece = Math.min(left, LONGEST_TIMER_MS);
      timer = setTimeout(() => (left > piece ? wait(left - piece) : action()), piece);
    };
    wait(Math.max(0, ms));
    return () => clearTimeout(timer);
  },
};
