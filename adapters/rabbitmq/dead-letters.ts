import { deadLetterHeaders } from "../../src/driver/dead-letter-headers.js";
import type { WireMessage } from "../../src/driver/driver.js";
import type { MessageHeaders } from "../../src/ports/message.js";
import type { AmqpTable } from "./amqp.js";
import type { DelayLadder } from "./ladder.js";

/** The broker's own reasons in our words. */
const REASONS: Readonly<Record<string, string>> = {
  expired: "expired",
  rejected: "rejected",
  maxlen: "queue-full",
  delivery_limit: "crash-loop",
};

const MAX_SECONDS = 8.64e12;

/** What a message that expires in our hands takes to the dead letters. */
export function expiredHeaders(headers: MessageHeaders, queue: string): MessageHeaders {
  return deadLetterHeaders(headers, { reason: "expired", queue, at: Date.now() });
}

/**
 * A message that the broker itself dead-lettered, told as if we had done it; any other as it is. Only the last death
 * counts: older ones, and the passage of the delay ladder, are history.
 */
export function translatedDeath(message: WireMessage, table: AmqpTable, ladder: DelayLadder): WireMessage {
  const deaths = table["x-death"];
  const last: unknown = Array.isArray(deaths) ? deaths[0] : undefined;
  if (typeof last !== "object" || last === null || !("queue" in last) || !("reason" in last)) return message;
  if (typeof last.queue !== "string" || typeof last.reason !== "string" || ladder.owns(last.queue)) return message;
  const seconds = "time" in last ? secondsOf(last.time) : undefined;
  // What is no time that a date can hold was not written by this broker.
  const at = seconds === undefined || Math.abs(seconds) > MAX_SECONDS ? Date.now() : seconds * 1000;
  const reason = REASONS[last.reason] ?? last.reason;
  return { ...message, headers: deadLetterHeaders(message.headers, { reason, queue: last.queue, at }) };
}

/** amqplib hands out a time as a tagged value. */
function secondsOf(time: unknown): number | undefined {
  if (typeof time !== "object" || time === null || !("value" in time)) return undefined;
  return typeof time.value === "number" ? time.value : undefined;
}
