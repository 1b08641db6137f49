import type { AmqpMessage, AmqpTable } from "./amqp.js";
import type { BrokerQueue } from "./broker-queue.js";
import { expiredHeaders, translatedDeath } from "./dead-letters.js";
import { RabbitmqDelivery } from "./delivery.js";
import { DUE_AT_HEADER, EXPIRES_AT_HEADER } from "./headers.js";
import type { DelayLadder } from "./ladder.js";
import { toWireMessage } from "./mapping.js";
import type { ConsumerShare } from "./prefetch-share.js";
import type { Settling } from "./settling.js";

export interface ArrivalParts {
  readonly queue: BrokerQueue;
  readonly ladder: DelayLadder;
  readonly settling: Settling;
  /** Whether the broker counts deliveries. */
  readonly counted: boolean;
}

/** A message that the broker handed out, as a delivery that is out; undefined for one that is not to be seen yet, or no more. */
export function toDelivery(
  received: AmqpMessage,
  share: ConsumerShare,
  { queue, ladder, settling, counted }: ArrivalParts,
): RabbitmqDelivery | undefined {
  const { headers } = received.properties;
  const arrived = toWireMessage(received);
  const message = headers === undefined ? arrived : translatedDeath(arrived, headers, ladder);
  const delivery = new RabbitmqDelivery(message, deliveriesOf(received, counted), received, share, settling);
  settling.take(delivery.place);
  // What the broker dead-lettered had its expiry already.
  const isSeen = message !== arrived || headers === undefined || !turnedAway(delivery, headers, queue, settling);
  return isSeen ? delivery : undefined;
}

function deliveriesOf({ fields, properties }: AmqpMessage, counted: boolean): number | undefined {
  if (!counted) return undefined;
  if (!fields.redelivered) return 1;
  const before = properties.headers?.["x-delivery-count"];
  return typeof before === "number" ? before + 1 : 2;
}

/** What the broker could not see on the way through the ladder: expired, or the ladder was too short. */
function turnedAway(
  delivery: RabbitmqDelivery,
  headers: AmqpTable,
  { name, deadLetterQueue }: BrokerQueue,
  settling: Settling,
): boolean {
  const { message, received } = delivery;
  const expiresAt = headers[EXPIRES_AT_HEADER];
  const unseen = deadLetterQueue !== undefined && received.properties.expiration === undefined;
  if (unseen && isTime(expiresAt) && expiresAt <= Date.now()) {
    void settling.deadLetter(delivery, expiredHeaders(message.headers, name));
    return true;
  }
  const dueAt = headers[DUE_AT_HEADER];
  if (!isTime(dueAt)) return false;
  const waitMs = dueAt - Date.now();
  if (waitMs > 0) void settling.retry(delivery, message.headers, waitMs);
  return waitMs > 0;
}

/** What others write there is not delayed for ever. */
function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
