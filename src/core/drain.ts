import type { Clock } from "../ports/clock.js";
import type { Ending } from "../util/ending.js";

/** For handlers that heed their signal to say how their delivery is to be settled. */
const GRACE_MS = 250;
/** For the last settlements to reach a broker that answers; for one that does not, the closing link gives all back. */
const LAST_SETTLEMENTS_MS = 2_000;
/** For a broker to say that nothing more will come through what is stopped. */
export const STOP_TIMEOUT_MS = 2_000;

export interface Drain {
  /** Ends when the time for it is over. */
  readonly over: Ending<undefined>;
  /** Resolves when nothing more arrives. */
  readonly stopped: Promise<void>;
  /** How much is not done yet. */
  left(): number;
  onProgress(listener: () => void): void;
  /** Tells what still runs that its time is over. */
  interrupt(): void;
  /** Gives back what did not heed that. */
  abandon(): void;
}

/** Waits for what runs, then interrupts it, then gives up on it. Always resolves, soon after its time at the latest. */
export async function drained(
  clock: Clock,
  { over, stopped, left, onProgress, interrupt, abandon }: Drain,
): Promise<void> {
  const idle = stopped.then(
    () =>
      new Promise<true>((resolve) => {
        const check = (): void => {
          if (left() === 0) resolve(true);
        };
        onProgress(check);
        check();
      }),
  );
  if (await untilOver(idle, over)) return;
  interrupt();
  if (await within(clock, idle, GRACE_MS)) return;
  abandon();
  await within(clock, idle, LAST_SETTLEMENTS_MS);
}

function untilOver(idle: Promise<true>, over: Ending<undefined>): Promise<boolean> {
  return new Promise((resolve) => {
    void idle.then(resolve);
    over.onEnd(() => resolve(false));
  });
}

/** Whether the promise, which must not reject, resolves in time. */
export function within(clock: Clock, promise: Promise<unknown>, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.setTimer(ms, () => resolve(false));
    void promise.then(() => {
      cancel();
      resolve(true);
    });
  });
}
