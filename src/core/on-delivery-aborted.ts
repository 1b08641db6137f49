import type { Delivery } from "../ports/message.js";
import { onAbort } from "../util/abort.js";
import { HandledDelivery } from "./handled-delivery.js";

/**
 * Calls `listener` once when the delivery's signal aborts, at once if it has: for its one handler, which has tens of thousands
 * of them in a second. A signal for each would cost as much as all else that is done for it.
 */
export function onDeliveryAborted(delivery: Delivery<unknown>, listener: () => void): void {
  if (delivery instanceof HandledDelivery) delivery.onAborted(listener);
  else onAbort(delivery.signal, listener);
}
