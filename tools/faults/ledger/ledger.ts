import { randomBytes } from "node:crypto";
import { becomes } from "../round/becomes.js";
import type { FaultOutcome } from "../round/scenario.js";

/** What a ledger cannot know by itself. */
export interface LedgerFindings {
  /** Default 0. */
  readonly stuck?: number | undefined;
  /** Default: what was begun, and neither confirmed nor failed. */
  readonly unsettled?: number | undefined;
  readonly violations?: readonly string[] | undefined;
  readonly notes?: readonly string[] | undefined;
}

// One byte for each number: three flags, and above them how often it was handled.
const CONFIRMED = 1;
const FAILED = 2;
const KEPT = 4;
const ONCE = 8;
const MOST_COUNTED = 256 - ONCE;
const FIRST_ROOM = 4_096;

/**
 * What was begun, confirmed and handled, and how often. One byte for each, however much is known of it, so that a ledger
 * never looks like the leak that a round is looking for.
 */
export class Ledger {
  readonly #prefix: string;
  #entries = new Uint8Array(FIRST_ROOM);
  #sent = 0;
  #confirmed = 0;
  #failed = 0;
  #handled = 0;
  #duplicates = 0;
  #unknown = 0;
  /** Confirmed, and neither handled nor kept. */
  #missing = 0;
  /** Begun, and neither handled nor failed: something should come. */
  #expected = 0;
  #waitsSince = 0;
  #longestGapMs = 0;
  #handledAt = 0;
  #latest = -1;
  #latestConfirmed = -1;

  /** The name tells the messages of this ledger from those of others. Default: random. */
  constructor(name: string = randomBytes(6).toString("hex")) {
    this.#prefix = `${name}-`;
  }

  get sent(): number {
    return this.#sent;
  }

  get confirmed(): number {
    return this.#confirmed;
  }

  get failed(): number {
    return this.#failed;
  }

  /** Each counted once. */
  get handled(): number {
    return this.#handled;
  }

  get duplicates(): number {
    return this.#duplicates;
  }

  get unsettled(): number {
    return this.#sent - this.#confirmed - this.#failed;
  }

  /** Confirmed, and neither handled nor kept so far. */
  get missing(): number {
    return this.#missing;
  }

  /** When something last came for the first time, in milliseconds of `performance.now()`; 0 before that. */
  get handledAt(): number {
    return this.#handledAt;
  }

  /** The highest number that was handled; -1 before that. */
  get latest(): number {
    return this.#latest;
  }

  /** The highest number that was confirmed; -1 before that. */
  get latestConfirmed(): number {
    return this.#latestConfirmed;
  }

  /** Something is begun; returns its number. */
  send(): number {
    const number = this.#sent;
    this.#sent += 1;
    if (number >= this.#entries.length) {
      const larger = new Uint8Array(this.#entries.length * 2);
      larger.set(this.#entries);
      this.#entries = larger;
    }
    if (this.#expected === 0) this.#waitsSince = performance.now();
    this.#expected += 1;
    return number;
  }

  /** It was told to have succeeded. A second call does nothing. */
  confirm(number: number): void {
    const entry = this.#entry(number);
    if ((entry & (CONFIRMED | FAILED)) !== 0) return;
    this.#entries[number] = entry | CONFIRMED;
    this.#confirmed += 1;
    this.#latestConfirmed = Math.max(this.#latestConfirmed, number);
    if (entry < KEPT) this.#missing += 1;
  }

  /** It was told to have failed; it may still come. A second call does nothing. */
  fail(number: number): void {
    const entry = this.#entry(number);
    if ((entry & (CONFIRMED | FAILED)) !== 0) return;
    this.#entries[number] = entry | FAILED;
    this.#failed += 1;
    if (entry < ONCE) this.#expected -= 1;
  }

  /** It came to its handler. True if for the first time. */
  handle(number: number): boolean {
    if (!(number >= 0 && number < this.#sent)) {
      this.#unknown += 1;
      return false;
    }
    const entry = this.#entry(number);
    if (entry < MOST_COUNTED) this.#entries[number] = entry + ONCE;
    if (entry >= ONCE) {
      this.#duplicates += 1;
      return false;
    }
    this.#handled += 1;
    this.#latest = Math.max(this.#latest, number);
    if ((entry & CONFIRMED) !== 0 && (entry & KEPT) === 0) this.#missing -= 1;
    this.#endGap((entry & FAILED) === 0);
    return true;
  }

  /** It is where an operator finds it, a dead letter for example: not lost, though nobody handled it. */
  keep(number: number): void {
    const entry = this.#entry(number);
    if ((entry & KEPT) !== 0) return;
    this.#entries[number] = entry | KEPT;
    if ((entry & CONFIRMED) !== 0 && entry < ONCE) this.#missing -= 1;
  }

  /** How often it was handled; counted up to 31. */
  timesHandled(number: number): number {
    return Math.floor(this.#entry(number) / ONCE);
  }

  isConfirmed(number: number): boolean {
    return (this.#entry(number) & CONFIRMED) !== 0;
  }

  /** The number as a text that no other ledger takes for its own. */
  tokenOf(number: number): string {
    return this.#prefix + number;
  }

  /** Undefined for a token of another ledger. */
  numberOf(token: string): number | undefined {
    if (!token.startsWith(this.#prefix)) return undefined;
    const number = Number(token.slice(this.#prefix.length));
    return Number.isInteger(number) ? number : undefined;
  }

  /** The numbers of some that were confirmed, and neither handled nor kept. */
  lost(most = 10): readonly number[] {
    const found: number[] = [];
    for (let number = 0; number < this.#sent && found.length < most; number += 1) {
      const entry = this.#entry(number);
      if ((entry & CONFIRMED) !== 0 && entry < KEPT) found.push(number);
    }
    return found;
  }

  /** False if something is still unsettled when the time is over. */
  settled(timeoutMs: number): Promise<boolean> {
    return becomes(() => this.unsettled === 0, timeoutMs);
  }

  /** False if something that was confirmed has not come when the time is over. */
  arrived(timeoutMs: number): Promise<boolean> {
    return becomes(() => this.#missing === 0, timeoutMs);
  }

  outcome({ stuck = 0, unsettled = this.unsettled, violations = [], notes = [] }: LedgerFindings = {}): FaultOutcome {
    const found = [...violations];
    if (this.#missing > 0) found.push(`lost: ${this.lost().join(", ")}${this.#missing > 10 ? ", …" : ""}`);
    if (this.#unknown > 0) found.push(`${this.#unknown} came that nobody had sent`);
    const openGapMs = this.#expected > 0 ? performance.now() - this.#waitsSince : 0;
    return {
      sent: this.#sent,
      confirmed: this.#confirmed,
      handled: this.#handled,
      duplicates: this.#duplicates,
      lost: this.#missing,
      stuck,
      unsettled,
      longestGapMs: Math.round(Math.max(this.#longestGapMs, openGapMs)),
      violations: found,
      notes,
    };
  }

  #entry(number: number): number {
    return this.#entries[number] ?? 0;
  }

  #endGap(wasExpected: boolean): void {
    const now = performance.now();
    this.#handledAt = now;
    if (this.#expected > 0) this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#waitsSince);
    if (wasExpected) this.#expected -= 1;
    this.#waitsSince = now;
  }
}

/** One outcome of several loads of a round: sums, the longest gap, and the name before whatever one of them says. */
export function combineOutcomes(parts: Readonly<Record<string, FaultOutcome>>): FaultOutcome {
  const all = Object.entries(parts);
  const sum = (count: (part: FaultOutcome) => number): number =>
    all.reduce((total, [, part]) => total + count(part), 0);
  return {
    sent: sum(({ sent }) => sent),
    confirmed: sum(({ confirmed }) => confirmed),
    handled: sum(({ handled }) => handled),
    duplicates: sum(({ duplicates }) => duplicates),
    lost: sum(({ lost }) => lost),
    stuck: sum(({ stuck }) => stuck),
    unsettled: sum(({ unsettled }) => unsettled),
    longestGapMs: Math.max(0, ...all.map(([, { longestGapMs }]) => longestGapMs)),
    violations: all.flatMap(([name, { violations }]) => violations.map((text) => `${name}: ${text}`)),
    notes: all.flatMap(([name, { notes }]) => notes.map((text) => `${name}: ${text}`)),
  };
}

/** Whether a round that ended with this has held. */
export function hasHeld({ lost, stuck, unsettled, violations }: FaultOutcome): boolean {
  return lost === 0 && stuck === 0 && unsettled === 0 && violations.length === 0;
}
