import type { Cancel, Clock } from "../../ports/clock.js";
import type { Priority } from "../../ports/message.js";
import { Ring } from "../../util/ring.js";
import { Capacity, type Loan } from "./capacity.js";
import { LANES } from "./lane-consumers.js";

/** How soon a full lane looks again for a slot to borrow. */
const LOOK_AGAIN_MS = 250;

export interface LaneFlowOptions<Item> {
  readonly clock: Clock;
  readonly concurrency: Readonly<Record<Priority, number>>;
  /** Whether there are consumers whose prefetch can be moved. */
  isLive(): boolean;
  start(lane: Priority, item: Item): void;
  /** Calls of the lane that run without a delivery of the present consumers. */
  bare(lane: Priority): number;
  /** Resolves once the consumer of the lane keeps to it. Never rejects. */
  setPrefetch(lane: Priority, prefetch: number): Promise<void>;
}

/** Lets requests run as far as their lane has capacity, and moves capacity between lanes, never more than there is. */
export class LaneFlow<Item> {
  readonly capacity: Capacity;
  readonly #options: LaneFlowOptions<Item>;
  /** What came beyond the limit, as may happen while that is being lowered. */
  readonly #waiting: Readonly<Record<Priority, Ring<Item>>> = {
    expedite: new Ring<Item>(),
    standard: new Ring<Item>(),
    bulk: new Ring<Item>(),
  };
  #isMoving = false;
  #lookAgain: Cancel | undefined;
  #isStopped = false;

  constructor(options: LaneFlowOptions<Item>) {
    this.#options = options;
    this.capacity = new Capacity(options.clock, options.concurrency);
  }

  get waiting(): number {
    return LANES.reduce((sum, lane) => sum + this.#waiting[lane].size, 0);
  }

  /** Capacity − calls that run without a delivery: what is unsettled at the broker never exceeds what may run. */
  prefetch(lane: Priority): number {
    return Math.max(0, this.capacity.limit(lane) - this.#options.bare(lane));
  }

  offer(lane: Priority, item: Item): void {
    this.#waiting[lane].push(item);
    this.#startWaiting(lane);
    this.#move();
  }

  /** A call of the lane is over; `settle` gives back its place in the queue, not before what it is given has resolved. */
  release(lane: Priority, settle: (after?: Promise<void>) => void): void {
    this.capacity.release(lane);
    const owed = this.#isMoving || this.#isStopped ? undefined : this.capacity.owedBy(lane);
    if (owed !== undefined && this.#waiting[lane].size === 0) {
      // Before the broker fills the slot again.
      settle(this.#return(owed));
      return;
    }
    settle();
    this.#startWaiting(lane);
    this.adjust(lane);
  }

  /** There are new consumers: what changed while they were being opened has reached none of them. */
  resume(): void {
    for (const lane of LANES) this.adjust(lane);
    this.#move();
  }

  /** The number of calls without a delivery has changed. */
  adjust(lane: Priority): void {
    void this.#apply(lane);
  }

  /** Nothing is started or moved any more. Returns what waits. */
  stop(): Item[] {
    this.#isStopped = true;
    this.#lookAgain?.();
    return this.takeWaiting();
  }

  takeWaiting(): Item[] {
    const items = LANES.flatMap((lane) => [...this.#waiting[lane]]);
    for (const lane of LANES) this.#waiting[lane].clear();
    return items;
  }

  #startWaiting(lane: Priority): void {
    const waiting = this.#waiting[lane];
    while (!this.#isStopped && waiting.size > 0 && !this.capacity.isFull(lane)) {
      this.capacity.take(lane);
      this.#options.start(lane, waiting.shift() as Item);
    }
  }

  #apply(lane: Priority): Promise<void> {
    return this.#isStopped ? Promise.resolve() : this.#options.setPrefetch(lane, this.prefetch(lane));
  }

  /** One at a time, so that the sum is never in doubt. */
  #move(): void {
    // Without consumers nobody could be lowered before another is raised.
    if (this.#isMoving || this.#isStopped || !this.#options.isLive()) return;
    for (const lane of LANES) {
      const back = this.capacity.nextReturn(lane);
      if (back !== undefined) {
        void this.#return(back);
        return;
      }
      const loan = this.capacity.nextLoan(lane);
      if (loan !== undefined) {
        void this.#lend(loan);
        return;
      }
    }
    if (this.#lookAgain === undefined && LANES.some((lane) => this.capacity.isFull(lane))) {
      this.#lookAgain = this.#options.clock.setTimer(LOOK_AGAIN_MS, () => {
        this.#lookAgain = undefined;
        this.#move();
      });
    }
  }

  async #lend(loan: Loan): Promise<void> {
    if (await this.#shift(loan.from, loan.to)) this.capacity.lent(loan);
    this.#moved(loan);
  }

  async #return(loan: Loan): Promise<void> {
    if (await this.#shift(loan.to, loan.from)) this.capacity.returned(loan);
    this.#moved(loan);
  }

  /** One slot: the giver's prefetch is lowered, what it holds by then is counted, then the taker's is raised. */
  async #shift(giver: Priority, taker: Priority): Promise<boolean> {
    this.#isMoving = true;
    this.capacity.lower(giver);
    await this.#apply(giver);
    const isStillFree = this.capacity.running(giver) + this.#waiting[giver].size <= this.capacity.limit(giver);
    this.capacity.raise(isStillFree ? taker : giver);
    this.adjust(isStillFree ? taker : giver);
    this.#isMoving = false;
    return isStillFree;
  }

  #moved({ from, to }: Loan): void {
    this.#startWaiting(from);
    this.#startWaiting(to);
    this.#move();
  }
}
