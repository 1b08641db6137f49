import type { ActiveDelivery } from "./active-delivery.js";

/**
 * The handlers of one consumer. One that has used up its time gives its slot back, so that a consumer does not come to a stand
 * over a handler that hangs; as many of those as the concurrency may be left running, and each beyond costs a slot, so that
 * they do not become ever more.
 */
export class HandlerSlots {
  #concurrency: number;
  #count: number;
  #running = 0;
  /** Their time is over, and their deliveries are settled without them. */
  #overdue = 0;

  constructor(concurrency: number) {
    this.#concurrency = concurrency;
    this.#count = concurrency;
  }

  get concurrency(): number {
    return this.#concurrency;
  }

  set concurrency(concurrency: number) {
    this.#concurrency = concurrency;
    this.#recount();
  }

  /** Handlers that run, overdue ones included. */
  get inFlight(): number {
    return this.#running + this.#overdue;
  }

  /** How many may run in time. */
  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#running >= this.#count;
  }

  begin(delivery: ActiveDelivery): void {
    delivery.isRunning = true;
    this.#running += 1;
  }

  overtake(delivery: ActiveDelivery): void {
    delivery.isRunning = false;
    delivery.isOverdue = true;
    this.#running -= 1;
    this.#overdue += 1;
    this.#recount();
  }

  /** Its handler has returned. True: it was overdue. */
  end(delivery: ActiveDelivery): boolean {
    delivery.isRunning = false;
    if (!delivery.isOverdue) {
      this.#running -= 1;
      return false;
    }
    this.#overdue -= 1;
    this.#recount();
    return true;
  }

  #recount(): void {
    this.#count = Math.min(this.#concurrency, Math.max(0, 2 * this.#concurrency - this.#overdue));
  }
}
