import { randomUUID } from "node:crypto";
import type { Cancel, Clock, Random } from "../../src/ports/clock.js";
import type { TurnTimes } from "./turns.js";

/** The event loop's turns, and a clock that never goes back. */
export const machineTimes: TurnTimes = {
  schedule: (run) => void setImmediate(run),
  now: () => performance.now(),
};

/** Node fires a longer timer at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock, for a broker that is given none. */
export const machineClock: Clock = {
  now: () => Date.now(),
  setTimer(ms: number, action: () => void): Cancel {
    let timer: NodeJS.Timeout;
    const wait = (leftMs: number): void => {
      const isLong = leftMs > LONGEST_TIMER_MS;
      timer = isLong
        ? setTimeout(() => wait(leftMs - LONGEST_TIMER_MS), LONGEST_TIMER_MS)
        : setTimeout(action, Math.ceil(leftMs));
    };
    wait(ms);
    return () => clearTimeout(timer);
  },
};

export const machineRandom: Random = { fraction: Math.random, uuid: () => randomUUID() };
