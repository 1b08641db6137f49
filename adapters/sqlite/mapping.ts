import type { WireMessage } from "../../src/driver/driver.js";
import type { MessageState } from "../../src/ports/inspection.js";
import type { MessageHeaders, Priority } from "../../src/ports/message.js";
import type { Row } from "./binding.js";

/** Lanes by number, in the order in which they are served. */
const LANE: Readonly<Record<Priority, number>> = { expedite: 0, standard: 1, bulk: 2 };
const STANDARD = LANE.standard;
const PRIORITIES: readonly (Priority | undefined)[] = ["expedite", undefined, "bulk"];

/** States of history, as numbers in the file. */
export const STATE = { processed: 1, failed: 2, removed: 3, reaped: 4 } as const satisfies Partial<
  Record<MessageState, number>
>;
export type PastState = keyof typeof STATE;

const PAST_STATES: ReadonlyMap<unknown, PastState> = new Map(
  Object.entries(STATE).map(([name, number]) => [number, name as PastState]),
);

export function pastStateOf(number: unknown): PastState {
  return PAST_STATES.get(number) ?? "processed";
}

/** The columns of `messages` that hold a WireMessage, in the order of `toWireMessage`. */
export const MESSAGE_COLUMNS = [
  "message_id",
  "type",
  "correlation_id",
  "reply_to",
  "content_type",
  "timestamp",
  "headers",
  "body",
] as const;

export function laneOf(priority: Priority | undefined): number {
  return priority === undefined ? STANDARD : LANE[priority];
}

/** Null: none, which most have. */
export function headersText(headers: MessageHeaders): string | null {
  for (const _ in headers) return JSON.stringify(headers);
  return null;
}

/** About what the headers take in the file. */
export function sizeOfHeaders(headers: MessageHeaders): number {
  let size = 0;
  for (const name in headers) size += name.length + (headers[name]?.length ?? 0);
  return size;
}

/** About what a message takes, in memory and in the file. */
export function sizeOf({ body, headers }: Pick<WireMessage, "body" | "headers">): number {
  return body.byteLength + sizeOfHeaders(headers);
}

export function readHeaders(text: unknown): MessageHeaders {
  return typeof text === "string" ? (JSON.parse(text) as MessageHeaders) : {};
}

/** What a message has that its columns cannot hold; undefined: nothing. */
export function faultOf(message: WireMessage): string | undefined {
  const { messageId, type, correlationId, replyTo, contentType, timestamp, body, headers, priority } = message;
  if (typeof messageId !== "string" || typeof contentType !== "string") return "messageId and contentType must be text";
  if (!isText(type) || !isText(correlationId) || !isText(replyTo)) {
    return "type, correlationId and replyTo must be text, or undefined";
  }
  if (!Number.isFinite(timestamp)) return "timestamp must be a number";
  if (!(body instanceof Uint8Array)) return "body must be a Uint8Array";
  if (priority !== undefined && !Object.hasOwn(LANE, priority)) return `there is no priority ${String(priority)}`;
  if (!isTime(message.delayMs) || !isTime(message.expiresInMs) || !isTime(message.uniqueForMs)) {
    return "delayMs, expiresInMs and uniqueForMs must be numbers, or undefined";
  }
  return faultOfHeaders(headers);
}

export function faultOfHeaders(headers: MessageHeaders): string | undefined {
  for (const name in headers) if (typeof headers[name] !== "string") return `header ${name} must be text`;
  return undefined;
}

function isText(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

function isTime(value: number | undefined): boolean {
  return value === undefined || Number.isFinite(value);
}

/** Reads the message whose columns begin at `from`. */
export function toWireMessage(row: Row, from: number, lane: number): WireMessage {
  return {
    messageId: row[from] as string,
    type: (row[from + 1] as string | null) ?? undefined,
    correlationId: (row[from + 2] as string | null) ?? undefined,
    replyTo: (row[from + 3] as string | null) ?? undefined,
    contentType: row[from + 4] as string,
    timestamp: row[from + 5] as number,
    headers: readHeaders(row[from + 6]),
    body: row[from + 7] as Uint8Array,
    priority: PRIORITIES[lane],
    persistent: true,
  };
}
