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
 * is over, or by the signal. The action is told how long its try may take.
 */
export async function retryWhileUnavailable<T>(
  action: (leftMs: number) => Promise<T>,
  { timeoutMs, signal }: RetryOptions,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (let failures = 1; ; failures += 1) {
    try {
      return await action(Math.max(1, deadline - performance.now()));
    } catch (error) {
      const waitMs = backoffMs(failures, systemRandom.fraction(), RETRY);
      const isOver = signal.aborted || performance.now() + waitMs >= deadline;
      if (isOver || !(error instanceof CallFailed && error.status === "UNAVAILABLE")) throw error;
      await sleep(waitMs, signal);
    }
  }
}
