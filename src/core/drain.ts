import type { Clock } from "../ports/clock.js";
import { Limit } from "./limit.js";

/** For handlers that heed their signal to say how their delivery is to be settled. */
const GRACE_MS = 250;
/** For the last settlements to reach a broker that answers; for one that does not, the closing link gives all back. */
const LAST_SETTLEMENTS_MS = 2_000;

export interface Drain {
  readonly drainMs: number;
  readonly signal: AbortSignal | undefined;
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

/** Waits for what runs, then interrupts it, then gives up on it. Always resolves, soon after `drainMs` at the latest. */
export async function drained(clock: Clock, drain: Drain): Promise<void> {
  const idle = drain.stopped.then(
    () =>
      new Promise<void>((resolve) => {
        const check = (): void => {
          if (drain.left() === 0) resolve();
        };
        drain.onProgress(check);
        check();
      }),
  );
  if (await within(clock, idle, drain.drainMs, drain.signal)) return;
  drain.interrupt();
  if (await within(clock, idle, GRACE_MS)) return;
  drain.abandon();
  await within(clock, idle, LAST_SETTLEMENTS_MS);
}

async function within(clock: Clock, idle: Promise<void>, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
  const limit = new Limit({ clock, what: "drain", timeoutMs, signal });
  try {
    await limit.race(idle);
    return true;
  } catch {
    // The time is over; the next step of the drain says what becomes of what is left.
    return false;
  } finally {
    limit.dispose();
  }
}
