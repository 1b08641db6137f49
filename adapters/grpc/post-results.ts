import { type PostFailure, toPostFailure } from "./event-errors.js";
import type { PostEventsResponse } from "./gen/fairlead/v1/PostEventsResponse.js";
import type { PostResult } from "./gen/fairlead/v1/PostResult.js";

interface Outcome {
  readonly sequence: number;
  /** Undefined: stored. */
  readonly failure: PostFailure | undefined;
}

/** A response must not grow beyond what clients take: 4 MiB. */
const MAX_RESULTS = 500;
const STORED = { status: 0, code: "", message: "", retryable: false };

/** What became of events, put together: neighbours of the same fate are one result. */
export class PostResults {
  #outcomes: Outcome[] = [];

  /** Not told yet. */
  get size(): number {
    return this.#outcomes.length;
  }

  stored(sequence: number): void {
    this.#outcomes.push({ sequence, failure: undefined });
  }

  failed(sequence: number, thrown: unknown): void {
    this.#outcomes.push({ sequence, failure: toPostFailure(thrown) });
  }

  /** All that is not told yet, as responses. */
  take(): PostEventsResponse[] {
    const outcomes = this.#outcomes.sort((one, other) => one.sequence - other.sequence);
    this.#outcomes = [];
    const responses: PostEventsResponse[] = [];
    let results: PostResult[] = [];
    for (let index = 0; index < outcomes.length; ) {
      const first = outcomes[index];
      if (first === undefined) break;
      let last = first;
      for (index += 1; index < outcomes.length; index += 1) {
        const next = outcomes[index];
        if (next === undefined || next.sequence !== last.sequence + 1 || !isSame(next.failure, first.failure)) break;
        last = next;
      }
      results.push({ first: first.sequence, last: last.sequence, ...(first.failure ?? STORED) });
      if (results.length < MAX_RESULTS) continue;
      responses.push({ results });
      results = [];
    }
    if (results.length > 0) responses.push({ results });
    return responses;
  }
}

function isSame(one: PostFailure | undefined, other: PostFailure | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.code === other.code && one.message === other.message;
}
