import { LoadLatency } from "./load-latency.js";

import type { LoadToken } from "./load-token.js";

/** How it went, up to now. */
export interface LoadTotals {
  /** The server said OK. */
  readonly posted: number;
  /** Refused for good. */
  readonly notPosted: number;
  /** Given up without an answer that says whether it is stored, and not received. */
  readonly unknown: number;
  /** Different events. */
  readonly received: number;
  readonly duplicates: number;
  /** Posted, and not received yet. */
  readonly outstanding: number;
  /** Posted, and not waited for any longer. */
  readonly lost: number;
  /** The longest time without a new event, between the first and the last one. */
  readonly longestGapMs: number;
}

const POSTED = 1;
const RECEIVED = 2;
const REFUSED = 4;
const GIVEN_UP = 8;
const LOST = 16;

/** What became of each event, by its number, in nine bytes each. */
export class LoadLedger {
  readonly #run: string;
  readonly #states: Uint8Array;
  readonly #begunAt: Float64Array;
  readonly #latency = new LoadLatency();
  #posted = 0;
  #refused = 0;
  #unknown = 0;
  #received = 0;
  #duplicates = 0;
  #outstanding = 0;
  #lost = 0;
  #lastAt: number | undefined;
  #longestGapMs = 0;

  constructor(run: string, events: number) {
    this.#run = run;
    this.#states = new Uint8Array(events);
    this.#begunAt = new Float64Array(events);
  }

  /** Its first try begins. */
  begin(number: number, now: number): void {
    this.#begunAt[number] = now;
  }

  posted(number: number): void {
    this.#posted += 1;
    if (!this.#is(number, RECEIVED)) this.#outstanding += 1;
    this.#mark(number, POSTED);
  }

  refused(number: number): void {
    this.#refused += 1;
    this.#mark(number, REFUSED);
  }

  givenUp(number: number): void {
    if (!this.#is(number, RECEIVED)) this.#unknown += 1;
    this.#mark(number, GIVEN_UP);
  }

  /** False: not of this run. */
  received(token: LoadToken | undefined, now: number): boolean {
    if (token?.run !== this.#run || token.number >= this.#states.length) return false;
    const { number } = token;
    if (this.#is(number, RECEIVED)) {
      this.#duplicates += 1;
      return true;
    }
    this.#received += 1;
    if (this.#is(number, LOST)) this.#lost -= 1;
    else if (this.#is(number, POSTED)) this.#outstanding -= 1;
    if (this.#is(number, GIVEN_UP)) this.#unknown -= 1;
    this.#mark(number, RECEIVED);
    this.#latency.add(now - (this.#begunAt[number] ?? now));
    if (this.#lastAt !== undefined) this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastAt);
    this.#lastAt = now;
    return true;
  }

  /** These are waited for no longer. The time until the next ones is no gap. */
  rest(first: number, events: number): void {
    this.#lastAt = undefined;
    for (let number = first; number < first + events; number += 1) {
      if (!this.#is(number, POSTED) || this.#is(number, RECEIVED)) continue;
      this.#outstanding -= 1;
      this.#lost += 1;
      this.#mark(number, LOST);
    }
  }

  /** From the begin of the first try to the first receipt, in milliseconds. */
  latencyMs(share: number): number | undefined {
    return this.#latency.quantile(share);
  }

  get totals(): LoadTotals {
    return {
      posted: this.#posted,
      notPosted: this.#refused,
      unknown: this.#unknown,
      received: this.#received,
      duplicates: this.#duplicates,
      outstanding: this.#outstanding,
      lost: this.#lost,
      longestGapMs: Math.round(this.#longestGapMs),
    };
  }

  #is(number: number, state: number): boolean {
    return ((this.#states[number] ?? 0) & state) !== 0;
  }

  #mark(number: number, state: number): void {
    this.#states[number] = (this.#states[number] ?? 0) | state;
  }
}
