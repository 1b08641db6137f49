import type { CheckedSelection, StoredMessageView, WireMessage } from "../driver/driver.js";
import {
  DEAD_AT_HEADER,
  DEAD_ATTEMPTS_HEADER,
  DEAD_QUEUE_HEADER,
  DEAD_REASON_HEADER,
  FAILURES_HEADER,
} from "../driver/reserved-headers.js";
import type { Capabilities } from "../ports/capabilities.js";
import type { InspectedMessage } from "../ports/inspection.js";
import { withoutReserved } from "./wire-message.js";

const DEATH: ReadonlySet<string> = new Set([
  DEAD_AT_HEADER,
  DEAD_ATTEMPTS_HEADER,
  DEAD_QUEUE_HEADER,
  DEAD_REASON_HEADER,
]);

/** What an operator sees of a message. */
export function toInspectedMessage({
  message,
  state,
  dueAt,
  changedAt,
}: Omit<StoredMessageView, "key" | "bodyBytes">): InspectedMessage {
  const failures = message.headers[FAILURES_HEADER] ?? "";
  return {
    messageId: message.messageId,
    body: message.body,
    headers: withoutReserved(message.headers),
    state,
    attempt: 1 + (/^\d{1,9}$/.test(failures) ? Number(failures) : 0),
    publishedAt: message.timestamp,
    dueAt,
    changedAt,
  };
}

/** A message that was taken is available; more is not known of it. */
export function toTakenMessage(message: WireMessage): InspectedMessage {
  return toInspectedMessage({ message, state: "available", dueAt: undefined, changedAt: undefined });
}

/** Tells which messages are selected, by what a message itself says. */
export function matcher({ messageIds, headers = {} }: CheckedSelection): (message: WireMessage) => boolean {
  const ids = messageIds === undefined ? undefined : new Set(messageIds);
  const wanted = Object.entries(headers);
  return (message) => {
    if (ids !== undefined && !ids.has(message.messageId)) return false;
    return wanted.every(([name, value]) => Object.hasOwn(message.headers, name) && message.headers[name] === value);
  };
}

/** The message as its application published it: no failed attempt, and nothing of how it died. */
export function toReplayedMessage(message: WireMessage, { queue }: Capabilities): WireMessage {
  const { delayMs: _, expiresInMs: __, uniqueForMs: ___, priority, ...rest } = message;
  const own = Object.entries(withoutReserved(message.headers)).filter(([name]) => !DEATH.has(name));
  return {
    ...rest,
    headers: Object.fromEntries(own),
    priority: queue.priority ? priority : undefined,
    persistent: queue.persistent,
  };
}
