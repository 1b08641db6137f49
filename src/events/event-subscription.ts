import type { Subscription } from "../ports/broadcast.js";
import type { DeliveredEvent } from "./event.js";

/** Where a subscriber's events go. */
export interface EventSink {
  /**
   * Takes one event. Resolves true when there is room for another: until then no other is handed over. Resolves false
   * when the subscriber is gone. A rejection says that this event cannot be taken: the attempt has failed, and the event
   * takes the next step of the retry schedule.
   */
  deliver(event: DeliveredEvent): Promise<boolean>;
  /** Called once: nothing more will come, whoever ended it. Resolves when that has been passed on. */
  end?(): Promise<void> | void;
}

/**
 * One client's share of the events. `closed` resolves once its sink has been ended: with undefined when it was closed or
 * replaced, with the cause otherwise.
 */
export interface EventSubscription extends Subscription {
  readonly clientId: string;
}
