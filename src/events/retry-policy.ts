import type { Clock, Random } from "../ports/clock.js";
import type { Settlement } from "../ports/message.js";
import { describeFailures, EventHistory } from "./event-history.js";

export interface RetryPolicyOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduleMs: readonly number[];
  /** An event that takes each subscriber away with it would otherwise go round for ever. */
  readonly lossesPerStep: number;
  /** Whether what is given up is kept. Where it is not, the last step of the schedule is repeated for ever. */
  readonly deadLetters: boolean;
}

/** Less, and what was lost together is still there together when a subscriber has come back. */
const LEAST_SPREAD_MS = 1_000;
const MOST_SPREAD_MS = 60_000;

/** What becomes of an attempt that did not succeed. */
export class RetryPolicy {
  readonly #options: RetryPolicyOptions;
  readonly #history = new EventHistory();

  constructor(options: RetryPolicyOptions) {
    this.#options = options;
  }

  /** The next step of the schedule, counted from now; when there is none, given up, with the reasons. */
  failed(messageId: string, attempt: number, reason: string): Settlement {
    return this.#next(messageId, attempt, reason, (step) => step);
  }

  /**
   * Its subscriber went away: undefined = hand it to another at once; the last time of so many in a row the next step and a
   * random time beyond, up to as much again, but of 1 s to 60 s. What was held beside an event that fells its subscribers has
   * as many losses, and would otherwise meet it again at each step, until it is given up with it.
   */
  lost(messageId: string, attempt: number): { readonly reason: string; readonly settlement: Settlement } | undefined {
    const { lossesPerStep, random } = this.#options;
    if (this.#history.lost(messageId) < lossesPerStep) return undefined;
    const reason = `its subscriber went away, ${lossesPerStep} times in a row`;
    const spread = (step: number): number =>
      step + random.fraction() * Math.min(Math.max(step, LEAST_SPREAD_MS), MOST_SPREAD_MS);
    return { reason, settlement: this.#next(messageId, attempt, reason, spread) };
  }

  done(messageId: string): void {
    this.#history.forget(messageId);
  }

  #next(messageId: string, attempt: number, reason: string, waitOf: (step: number) => number): Settlement {
    const { clock, scheduleMs, deadLetters } = this.#options;
    const failures = this.#history.failed(messageId, { attempt, at: clock.now(), reason });
    const step = scheduleMs[attempt - 1] ?? (deadLetters ? undefined : scheduleMs.at(-1));
    if (step !== undefined) return { retryInMs: waitOf(step), reason };
    this.#history.forget(messageId);
    return { deadLetter: describeFailures(failures) };
  }
}
