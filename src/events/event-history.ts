import { BoundedMap } from "./bounded-map.js";

export interface FailedAttempt {
  readonly attempt: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly reason: string;
}

interface Trouble {
  readonly failures: readonly FailedAttempt[];
  readonly lossesInRow: number;
}

const NOTHING: Trouble = { failures: [], lossesInRow: 0 };
const MAX_EVENTS = 10_000;
/** A reason has its bound, and the newest failures say most. */
const FAILURES_KEPT = 10;

/**
 * What this process knows of the troubles of each event, by messageId: it outlives releases and retries, not restarts.
 * Beyond 10,000 events in trouble the ones that were quiet longest are forgotten, and start anew.
 */
export class EventHistory {
  readonly #troubles = new BoundedMap<string, Trouble>(MAX_EVENTS);

  /** Its subscriber went away. Returns how often in a row that has happened. */
  lost(messageId: string): number {
    const { failures, lossesInRow } = this.#of(messageId);
    this.#troubles.set(messageId, { failures, lossesInRow: lossesInRow + 1 });
    return lossesInRow + 1;
  }

  /** Returns the newest failures that are known, this one last. */
  failed(messageId: string, failure: FailedAttempt): readonly FailedAttempt[] {
    const failures = [...this.#of(messageId).failures, failure].slice(-FAILURES_KEPT);
    this.#troubles.set(messageId, { failures, lossesInRow: 0 });
    return failures;
  }

  /** It is done, or given up. */
  forget(messageId: string): void {
    // Of most events nothing is known.
    if (this.#troubles.size > 0) this.#troubles.delete(messageId);
  }

  #of(messageId: string): Trouble {
    return this.#troubles.get(messageId) ?? NOTHING;
  }
}

/** For the dead letter: what became of each attempt, the last first, as far as this process knows. */
export function describeFailures(failures: readonly FailedAttempt[]): string {
  const last = failures.at(-1);
  if (last === undefined) return "failed";
  const known = [...failures].reverse();
  const told = known.map(({ attempt, at, reason }) => `attempt ${attempt} at ${new Date(at).toISOString()}: ${reason}`);
  const untold = last.attempt - failures.length;
  const gap = untold > 0 ? ` (${untold} longer ago, on another server or before a restart)` : "";
  return `given up after ${last.attempt} failed attempts${gap}; ${told.join("; ")}`;
}
