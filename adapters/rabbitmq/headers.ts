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

/** As `appId` of a request: whoever reads its inbox understands compact responses. At the front of theirs: it is one. */
export const COMPACT = "fairlead/1";

/** What the bindings of a broadcast compare. */
export const NODE_HEADER = "ServerNodeID";
export const SCOPE_HEADER = "Scope";
export const SCOPE_ALL = "all";

/** Before the name of a header that would mean something to the broker or to this adapter. */
const ESCAPE_PREFIX = `${INTERNAL_PREFIX}named-`;

/** What the broker notes in a message. Kept on a re-publish, it makes the broker drop the message as a cycle. */
const BROKER_HEADER = /^x-(?:death$|first-death-|last-death-|delivery-count$|acquired-count$)/;
const SPECIAL_NAMES = new Set(["CC", "BCC", "__proto__", NODE_HEADER, SCOPE_HEADER]);

const MAX_KNOWN_NAMES = 1_000;
const MAX_KNOWN_LENGTH = 100;
/** Of names that were seen before. */
const wireNames = new Map<string, string>();

/** Text headers as a table that is ours to add to. */
export function toTable(headers: MessageHeaders): Record<string, unknown> {
  const table: Record<string, unknown> = {};
  for (const name of Object.keys(headers)) table[wireName(name)] = headers[name];
  return table;
}

/** A received table as text headers, without what broker and adapter noted in it. */
export function fromTable(table: AmqpTable | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  if (table === undefined) return headers;
  for (const name of Object.keys(table)) {
    if (wireName(name) === name) headers[name] = toText(table[name]);
    else if (name.startsWith(ESCAPE_PREFIX)) define(headers, name.slice(ESCAPE_PREFIX.length), toText(table[name]));
  }
  return headers;
}

/**
 * The table for publishing a received message again under new headers. A foreign header that is not text, and was not
 * changed, keeps its type, unless it cannot be written as it was read: then it goes on as text, lest the message stays for ever.
 */
export function toTableAgain(headers: MessageHeaders, received: AmqpTable | undefined): Record<string, unknown> {
  const table = toTable(headers);
  if (received === undefined) return table;
  for (const name of Object.keys(received)) {
    const value = received[name];
    if (typeof value === "string" || !Object.hasOwn(table, name) || table[name] !== toText(value)) continue;
    const again = plain(value);
    if (isWritable(again)) table[name] = again;
  }
  return table;
}

/** Under which a header travels. */
function wireName(name: string): string {
  let known = wireNames.get(name);
  if (known === undefined) {
    known = isSpecial(name) ? ESCAPE_PREFIX + name : name;
    // Names are few, but they are not ours.
    if (wireNames.size < MAX_KNOWN_NAMES && name.length <= MAX_KNOWN_LENGTH) wireNames.set(name, known);
  }
  return known;
}

function isSpecial(name: string): boolean {
  return SPECIAL_NAMES.has(name) || name.startsWith(INTERNAL_PREFIX) || BROKER_HEADER.test(name);
}

function toText(value: unknown): string {
  if (typeof value === "string") return value;
  if (isBytes(value)) return Buffer.from(value).toString("utf8");
  if (typeof value === "object" && value !== null) return JSON.stringify(plain(value));
  return String(value);
}

/**
 * Without what a field named `__proto__` does to the table that holds it: amqplib makes its value the prototype, and one that
 * is bytes makes a Buffer of the table, none of whose methods work.
 */
function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null || isBytes(value)) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
}

/** amqplib reads times up to 2^64, rounded, and writes none that is not exact. */
function isWritable(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null || isBytes(value)) return true;
  if ("!" in value && value["!"] === "timestamp") return "value" in value && Number.isSafeInteger(value.value);
  return Object.values(value).every(isWritable);
}

/** What it is, not what its prototype says. */
function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value);
}

/** Assigning `__proto__` would change the object's prototype instead. */
function define(headers: Record<string, string>, name: string, value: string): void {
  Object.defineProperty(headers, name, { value, enumerable: true, configurable: true, writable: true });
}
