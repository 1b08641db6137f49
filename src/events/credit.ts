import { MessagingError } from "../errors/messaging-error.js";
import { MAX_CREDIT } from "./options.js";

/** How much a subscriber may be handed. */
export interface Credit {
  /** The most that may be out at once, with so much out now. */
  most(outstanding: number): number;
  onHandedOver(): void;
  /** Done, so long after it was handed over. */
  onAcked(afterMs: number): void;
  onTimedOut(): void;
  /** Throws `INVALID_ARGUMENT`. */
  setTotal(total: number): void;
}

export interface AdaptiveCreditOptions {
  readonly creditPerSubscriber: number;
  readonly maxCreditPerSubscriber: number;
  readonly ackTimeoutMs: number;
}

/** Grows with each prompt ack, and halves with each time-out: one that handles one at a time is not felled by its backlog. */
export class AdaptiveCredit implements Credit {
  readonly #options: AdaptiveCreditOptions;
  #limit: number;

  constructor(options: AdaptiveCreditOptions) {
    this.#options = options;
    this.#limit = options.creditPerSubscriber;
  }

  most(): number {
    return this.#limit;
  }

  onHandedOver(): void {}

  onAcked(afterMs: number): void {
    const { ackTimeoutMs, maxCreditPerSubscriber } = this.#options;
    if (afterMs <= ackTimeoutMs / 4) this.#limit = Math.min(maxCreditPerSubscriber, this.#limit + 1);
  }

  onTimedOut(): void {
    this.#limit = Math.max(1, Math.floor(this.#limit / 2));
  }

  setTotal(): void {
    throw new MessagingError("INVALID_ARGUMENT", "setCredit: subscribe with a number as the credit to set it");
  }
}

/** So many in all, as the subscriber says, and never more than 1,000 at once. */
export class ExplicitCredit implements Credit {
  #total = 0;
  #handedOver = 0;

  constructor(total: number) {
    this.setTotal(total);
  }

  most(outstanding: number): number {
    return Math.min(MAX_CREDIT, outstanding + this.#total - this.#handedOver);
  }

  onHandedOver(): void {
    this.#handedOver += 1;
  }

  onAcked(): void {}

  onTimedOut(): void {}

  setTotal(total: number): void {
    if (!Number.isSafeInteger(total) || total < 0) {
      throw new MessagingError("INVALID_ARGUMENT", "the credit must be a whole number ≥ 0");
    }
    this.#total = Math.max(this.#total, total);
  }
}
