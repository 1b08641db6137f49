import { systemRandom } from "../core/system-random.js";
import { type BackoffOptions, backoffMs } from "../util/backoff.js";
import { CallFailed } from "./call-failed.js";
import { sleep } from "./sleep.js";

const RETRY: BackoffOptions = { firstMs: 200, maxMs: 2_000 };

export interface RetryOptions {
  /** Over all tries and the waits between them. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Tries again, with back-off and jitter, as long as the server is unavailable. Rejects with the last failure when the time
 * is over, or by the signal; with the one before when the last try only ran out of time. The action is told how long its
 * try may take.
 */
export async function retryWhileUnavailable<T>(
  action: (leftMs: number) => Promise<T>,
  { timeoutMs, signal }: RetryOptions,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let unavailable: unknown;
  for (let failures = 1; ; failures += 1) {
    try {
      return await action(Math.max(1, deadline - performance.now()));
    } catch (error) {
      const status = error instanceof CallFailed ? error.status : undefined;
      if (status === "DEADLINE_EXCEEDED") throw unavailable ?? error;
      if (status !== "UNAVAILABLE") throw error;
      unavailable = error;
      const waitMs = backoffMs(failures, systemRandom.fraction(), RETRY);
      if (signal.aborted || performance.now() + waitMs >= deadline) throw error;
      await sleep(waitMs, signal);
    }
  }
}
