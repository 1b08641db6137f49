import { MessagingError } from "../../../src/errors/messaging-error.js";
import type { Clock, Random } from "../../../src/ports/clock.js";
import { onAbort } from "../../../src/util/abort.js";
import { type BackoffOptions, backoffMs } from "../../../src/util/backoff.js";
import { isPermanent, toCallFailure } from "./call-failure.js";

export interface RetryingOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly backoff: BackoffOptions;
  /** Names the work in errors. */
  readonly what: string;
  /** Over all tries and the waits between them. */
  readonly timeoutMs: number;
  /** Ends it at once; its reason is a `MessagingError`. */
  readonly signal: AbortSignal;
  onRetry(error: MessagingError, waitMs: number): void;
}

/** Tries until it succeeds, fails for good, is given up, or the time is over. Rejects with a `MessagingError`. */
export async function retrying(
  attempt: (leftMs: number) => Promise<void>,
  { clock, random, backoff, what, timeoutMs, signal, onRetry }: RetryingOptions,
): Promise<void> {
  const deadline = clock.now() + timeoutMs;
  for (let failures = 1; ; failures += 1) {
    if (signal.aborted) throw toCallFailure(signal.reason, what);
    let failure: MessagingError;
    try {
      return await attempt(Math.max(1, deadline - clock.now()));
    } catch (error) {
      failure = toCallFailure(error, what);
    }
    if (isPermanent(failure)) throw failure;
    const waitMs = backoffMs(failures, random.fraction(), backoff);
    if (clock.now() + waitMs >= deadline) throw givenUp(failure, what, timeoutMs);
    onRetry(failure, waitMs);
    await pause(clock, waitMs, signal);
  }
}

/** Waits, or less if the signal aborts. Never rejects. */
function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let forget = (): void => {};
    const cancel = clock.setTimer(ms, () => {
      forget();
      resolve();
    });
    forget = onAbort(signal, () => {
      cancel();
      resolve();
    });
  });
}

function givenUp(failure: MessagingError, what: string, timeoutMs: number): MessagingError {
  const code = failure.code === "TIMEOUT" ? "UNAVAILABLE" : failure.code;
  const text = `${what}: no success within ${timeoutMs} ms, so the outcome may be unknown; the last failure: ${failure.message}`;
  return new MessagingError(code, text, { cause: failure });
}
