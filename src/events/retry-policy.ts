import type { Clock } from "../ports/clock.js";
import type { Settlement } from "../ports/message.js";
import { describeFailures, EventHistory } from "./event-history.js";

/** An event that takes its subscriber away with it would otherwise go round for ever. */
const LOSSES_PER_STEP = 3;

export interface RetryPolicyOptions {
  readonly clock: Clock;
  readonly scheduleMs: readonly number[];
  /** Whether what is given up is kept. Where it is not, the last step of the schedule is repeated for ever. */
  readonly deadLetters: boolean;
}

/** What becomes of an attempt that did not succeed. */
export class RetryPolicy {
  readonly #options: RetryPolicyOptions;
  readonly #history = new EventHistory();

  constructor(options: RetryPolicyOptions) {
    this.#options = options;
  }

  /** The next step of the schedule, counted from now; when there is none, given up, with the reasons. */
  failed(messageId: string, attempt: number, reason: string): Settlement {
    const { clock, scheduleMs, deadLetters } = this.#options;
    const failures = this.#history.failed(messageId, { attempt, at: clock.now(), reason });
    const step = scheduleMs[attempt - 1];
    if (step !== undefined) return { retryInMs: step, reason };
    const last = scheduleMs.at(-1);
    if (!deadLetters && last !== undefined) return { retryInMs: last, reason };
    this.#history.forget(messageId);
    return { deadLetter: describeFailures(failures) };
  }

  /** Its subscriber went away: undefined = hand it to another at once; the third time in a row, why it has failed. */
  lost(messageId: string): string | undefined {
    if (this.#history.lost(messageId) < LOSSES_PER_STEP) return undefined;
    return `its subscriber went away, ${LOSSES_PER_STEP} times in a row`;
  }

  done(messageId: string): void {
    this.#history.forget(messageId);
  }
}
