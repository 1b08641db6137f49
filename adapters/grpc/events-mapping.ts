import type { AckOutcome, DeliveredEvent, OutgoingEvent } from "../../src/events/index.js";
import type { AckOutcome as WireOutcome } from "./gen/fairlead/v1/AckOutcome.js";
import type { DeliveredEvent as WireEvent } from "./gen/fairlead/v1/DeliveredEvent.js";
import type { NewEvent__Output } from "./gen/fairlead/v1/NewEvent.js";
import { toEventDate, toKey, toTimestamp } from "./mapping.js";

/** Does not compile when an outcome is missing. */
const OUTCOME: Readonly<Record<AckOutcome, WireOutcome>> = {
  acked: "ACK_OUTCOME_ACKED",
  nacked: "ACK_OUTCOME_NACKED",
  unconfirmed: "ACK_OUTCOME_UNCONFIRMED",
  late: "ACK_OUTCOME_LATE",
  repeated: "ACK_OUTCOME_REPEATED",
  unknown: "ACK_OUTCOME_UNKNOWN",
  unresolved: "ACK_OUTCOME_UNRESOLVED",
};

export function toWireOutcome(outcome: AckOutcome): WireOutcome {
  return OUTCOME[outcome];
}

export interface EventPost {
  readonly event: OutgoingEvent;
  /** Undefined: none was given. */
  readonly postId: string | undefined;
}

export function toEventPost(message: NewEvent__Output): EventPost {
  const { postId, body, clientId, userToken, effectiveDate, searchKey1, searchKey2 } = message;
  const event: OutgoingEvent = {
    // A copy: the message's memory is that of all events that came with it.
    body: Buffer.from(body),
    clientId,
    userToken,
    searchKey1: toKey(searchKey1),
    searchKey2: toKey(searchKey2),
    effectiveDate: effectiveDate === null ? undefined : toEventDate(effectiveDate),
  };
  return { event, postId: postId === "" ? undefined : postId };
}

export function toWireEvent(event: DeliveredEvent): WireEvent {
  const { ackToken, attempt, body, clientId, userToken, effectiveDate, searchKey1, searchKey2 } = event;
  return {
    ackToken,
    attempt,
    body,
    clientId,
    userToken,
    effectiveDate: effectiveDate === undefined ? null : toTimestamp(effectiveDate),
    searchKey1: String(searchKey1),
    searchKey2: String(searchKey2),
  };
}
