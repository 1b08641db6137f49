import type { Clock } from "../../ports/clock.js";
import type { Priority } from "../../ports/message.js";

/** A slot is lent only when it was free for so long. */
export const FREE_FOR_MS = 1_000;
/** So many slots the standard lane keeps free when it lends to bulk. */
const STANDARD_KEEPS_FREE = 3;

/** Whom a full lane may borrow from, the best lender first. Upwards freely; downwards only what standard can spare. */
const LENDERS: Readonly<Record<Priority, readonly Priority[]>> = {
  expedite: ["bulk", "standard"],
  standard: ["bulk"],
  bulk: ["standard"],
};

export interface Loan {
  readonly from: Priority;
  readonly to: Priority;
}

/** What one lane may run, and runs. */
class Lane {
  limit: number;
  running = 0;
  /** By number of running calls: when it last fell below. */
  readonly #freeSince: number[] = [];

  /** Nothing is known of its slots before that. */
  readonly #createdAt: number;

  constructor(limit: number, now: number) {
    this.limit = limit;
    this.#createdAt = now;
  }

  get isFull(): boolean {
    return this.running >= this.limit;
  }

  release(now: number): void {
    this.#freeSince[this.running] = now;
    this.running -= 1;
  }

  /** Slots that were free for all of the last `FREE_FOR_MS`. */
  free(now: number): number {
    let busy = this.running;
    for (let count = this.limit; count > this.running; count -= 1) {
      const since = this.#freeSince[count] ?? this.#createdAt;
      if (now - since < FREE_FOR_MS) {
        busy = count;
        break;
      }
    }
    return this.limit - busy;
  }
}

/**
 * Three lanes with a capacity each, and loans between them. Pure bookkeeping: it says what may be lent and what is to be
 * given back; whoever holds the consumers moves the prefetch, the lender's first.
 */
export class Capacity {
  readonly #clock: Clock;
  readonly #lanes: Readonly<Record<Priority, Lane>>;
  readonly #loans: Loan[] = [];

  constructor(clock: Clock, { expedite, standard, bulk }: Readonly<Record<Priority, number>>) {
    this.#clock = clock;
    const now = clock.now();
    this.#lanes = { expedite: new Lane(expedite, now), standard: new Lane(standard, now), bulk: new Lane(bulk, now) };
  }

  limit(lane: Priority): number {
    return this.#lanes[lane].limit;
  }

  running(lane: Priority): number {
    return this.#lanes[lane].running;
  }

  isFull(lane: Priority): boolean {
    return this.#lanes[lane].isFull;
  }

  get loans(): readonly Loan[] {
    return this.#loans;
  }

  take(lane: Priority): void {
    this.#lanes[lane].running += 1;
  }

  release(lane: Priority): void {
    this.#lanes[lane].release(this.#clock.now());
  }

  /** The slot that a full lane may borrow now. */
  nextLoan(to: Priority): Loan | undefined {
    if (!this.#lanes[to].isFull) return undefined;
    const now = this.#clock.now();
    for (const from of LENDERS[to]) {
      const lender = this.#lanes[from];
      const keeps = from === "standard" && to === "bulk" ? STANDARD_KEEPS_FREE : 0;
      const isBorrower = this.#loans.some((loan) => loan.to === from);
      // Never its last slot, not what it has borrowed itself, and not what it would take back at once, being full.
      const staysFree = lender.limit - lender.running > 1;
      if (staysFree && !isBorrower && lender.free(now) > keeps) return { from, to };
    }
    return undefined;
  }

  /** The slot that a full lane may take back now: the borrower has one free. */
  nextReturn(from: Priority): Loan | undefined {
    if (!this.#lanes[from].isFull) return undefined;
    return this.#loans.find((loan) => loan.from === from && !this.#lanes[loan.to].isFull);
  }

  /** What a lane that has just become free owes to a full one. */
  owedBy(to: Priority): Loan | undefined {
    return this.#loans.find((loan) => loan.to === to && this.#lanes[loan.from].isFull);
  }

  lower(lane: Priority): void {
    this.#lanes[lane].limit -= 1;
  }

  raise(lane: Priority): void {
    this.#lanes[lane].limit += 1;
  }

  lent(loan: Loan): void {
    this.#loans.push(loan);
  }

  returned(loan: Loan): void {
    this.#loans.splice(this.#loans.indexOf(loan), 1);
  }
}
