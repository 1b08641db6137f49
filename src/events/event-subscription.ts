import type { Subscription } from "../ports/broadcast.js";
import type { DeliveredEvent } from "./event.js";

/** Where a subscriber's events go. */
export interface EventSink {
  /**
   * Takes one event. True, or resolves true, when there is room for another: until then no other is handed over. False
   * when the subscriber is gone. A rejection says that this event cannot be taken: the attempt has failed, and the event
   * takes the next step of the retry schedule.
   */
  deliver(event: DeliveredEvent): boolean | Promise<boolean>;
  /** Called once: nothing more will come, whoever ended it. Resolves when that has been passed on. */
  end?(): Promise<void> | void;
}

/**
 * One client's share of the events. `closed` resolves once its sink has been ended: with undefined when it was closed or
 * replaced, with the cause otherwise.
 */
export interface EventSubscription extends Subscription {
  readonly clientId: string;
  /**
   * For a subscription that was made with a number as its credit: `total` events may have been handed over since its
   * beginning. Absolute, so that it can be repeated; never taken back: a lower number changes nothing. Throws
   * `INVALID_ARGUMENT` for what is no whole number ≥ 0, and for any other subscription.
   */
  setCredit(total: number): void;
}
