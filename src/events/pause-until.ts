import type { Clock } from "../ports/clock.js";
import type { Ending } from "../util/ending.js";

/** Resolves when the time is over, or what is given has ended. Leaves nothing behind, however often it is asked. */
export function pauseUntil(clock: Clock, ms: number, ending: Ending<undefined>): Promise<void> {
  if (ending.hasEnded) return Promise.resolve();
  return new Promise((resolve) => {
    const forget = ending.onEnd(() => {
      cancel();
      resolve();
    });
    const cancel = clock.setTimer(ms, () => {
      forget();
      resolve();
    });
  });
}
