import { RESERVED_PREFIX } from "../../src/driver/reserved-headers.js";
import type { MessageHeaders } from "../../src/ports/message.js";
import type { AmqpTable } from "./amqp.js";

/** Headers of this adapter alone: on the wire, never in a WireMessage. */
const INTERNAL_PREFIX = `${RESERVED_PREFIX}amqp-`;

/** Tells which publish a returned message belongs to. */
export const PUBLISH_ID_HEADER = `${INTERNAL_PREFIX}publish-id`;
/** When the message expires, in milliseconds since the epoch; travels where `expiration` cannot. */
export const EXPIRES_AT_HEADER = `${INTERNAL_PREFIX}expires-at`;
/** When it is due, in milliseconds since the epoch, if the delay is longer than the ladder. */
export const DUE_AT_HEADER = `${INTERNAL_PREFIX}due-at`;

/** What the bindings of a broadcast compare. */
export const NODE_HEADER = "ServerNodeID";
export const SCOPE_HEADER = "Scope";
export const SCOPE_ALL = "all";

/** Before the name of a header that would mean something to the broker or to this adapter. */
const ESCAPE_PREFIX = `${INTERNAL_PREFIX}named-`;

/** What the broker notes in a message. Kept on a re-publish, it makes the broker drop the message as a cycle. */
const BROKER_HEADER = /^x-(?:death$|first-death-|last-death-|delivery-count$|acquired-count$)/;
const SPECIAL_NAMES = new Set(["CC", "BCC", "__proto__", NODE_HEADER, SCOPE_HEADER]);

/** Text headers as a table that is ours to add to. */
export function toTable(headers: MessageHeaders): Record<string, unknown> {
  const table: Record<string, unknown> = {};
  for (const name of Object.keys(headers)) {
    table[isSpecial(name) ? ESCAPE_PREFIX + name : name] = headers[name];
  }
  return table;
}

/** A received table as text headers, without what broker and adapter noted in it. */
export function fromTable(table: AmqpTable | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  if (table === undefined) return headers;
  for (const name of Object.keys(table)) {
    if (!isSpecial(name)) headers[name] = toText(table[name]);
    else if (name.startsWith(ESCAPE_PREFIX)) define(headers, name.slice(ESCAPE_PREFIX.length), toText(table[name]));
  }
  return headers;
}

/**
 * The table for publishing a received message again under new headers. A foreign header that is not text, and was not
 * changed, keeps its type.
 */
export function toTableAgain(headers: MessageHeaders, received: AmqpTable | undefined): Record<string, unknown> {
  const table = toTable(headers);
  if (received === undefined) return table;
  for (const name of Object.keys(received)) {
    const value = received[name];
    if (typeof value !== "string" && Object.hasOwn(table, name) && table[name] === toText(value)) table[name] = value;
  }
  return table;
}

function isSpecial(name: string): boolean {
  return SPECIAL_NAMES.has(name) || name.startsWith(INTERNAL_PREFIX) || BROKER_HEADER.test(name);
}

function toText(value: unknown): string {
  if (typeof value === "string") return value;
  if (Buffer.isBuffer(value)) return value.toString("utf8");
  if (typeof value === "object" && value !== null) return JSON.stringify(value);
  return String(value);
}

/** Assigning `__proto__` would change the object's prototype instead. */
function define(headers: Record<string, string>, name: string, value: string): void {
  Object.defineProperty(headers, name, { value, enumerable: true, configurable: true, writable: true });
}
