import { isUtf8 } from "node:buffer";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { DeliveredEvent, EventDate, OutgoingEvent } from "../../src/events/index.js";
import type { Timestamp, Timestamp__Output } from "./gen/google/protobuf/Timestamp.js";
import type { EventMsg, EventMsg__Output } from "./gen/queue/EventMsg.js";

/** A posted event. 64-bit numbers come as decimal text, since a `number` would round them. */
export function toOutgoingEvent(message: EventMsg__Output): OutgoingEvent {
  const { clientId, eventJson, userToken, effectiveDate, searchKey1, searchKey2 } = message;
  return {
    body: Buffer.from(eventJson, "utf8"),
    clientId,
    userToken,
    searchKey1: toKey(searchKey1),
    searchKey2: toKey(searchKey2),
    effectiveDate: effectiveDate === null ? undefined : toEventDate(effectiveDate),
  };
}

/** A delivery. Throws `MALFORMED` for a body that is no UTF-8, which the contract's string cannot carry. */
export function toEventMsg(event: DeliveredEvent): EventMsg {
  const { body, effectiveDate } = event;
  if (!isUtf8(body)) throw new MessagingError("MALFORMED", "the event is no UTF-8, so QueueApi cannot carry it");
  return {
    clientId: event.clientId,
    eventJson: Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8"),
    userToken: event.ackToken,
    futureUserToken: event.userToken,
    effectiveDate: effectiveDate === undefined ? null : toTimestamp(effectiveDate),
    searchKey1: String(event.searchKey1),
    searchKey2: String(event.searchKey2),
  };
}

/** Most events have none. */
export function toKey(text: string): bigint {
  return text === "0" ? 0n : BigInt(text);
}

/** Seconds beyond the safe integers are rounded here, and out of range for every check that follows. */
export function toEventDate({ seconds, nanos }: Timestamp__Output): EventDate {
  return { seconds: Number(seconds), nanos };
}

export function toTimestamp({ seconds, nanos }: EventDate): Timestamp {
  return { seconds: String(seconds), nanos };
}
