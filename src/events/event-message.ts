import { MessagingError } from "../errors/messaging-error.js";
import type { IncomingMessage, MessageHeaders, OutgoingMessage } from "../ports/message.js";
import type { OutgoingEvent, StoredEvent } from "./event.js";
import { dueMs, eventDateFault, eventDateOf, formatEventDate, parseEventDate } from "./event-date.js";
import { MARK_HEADER } from "./event-mark.js";

const CLIENT_ID = "event-client-id";
const TOKEN = "event-token";
const KEY_1 = "event-key1";
const KEY_2 = "event-key2";
const EFFECTIVE_DATE = "event-effective-date";

/** Of a client id, and of a user token, in UTF-8. */
const MAX_TEXT_BYTES = 256;

const INT_64 = /^-?\d{1,19}$/;
const HALF_SURROGATE = /\p{Cs}/u;

export interface QueuedEvent {
  readonly message: OutgoingMessage<Uint8Array>;
  /** 0: at once. */
  readonly delayMs: number;
}

export interface PostContext {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Of this post, and no other. */
  readonly mark: string;
  readonly maxEventBytes: number;
}

/** Checks an event and puts it into a message. Throws `INVALID_ARGUMENT`, all faults at once, or `TOO_LARGE`. */
export function toQueuedEvent(event: OutgoingEvent, { now, mark, maxEventBytes }: PostContext): QueuedEvent {
  const { body, clientId = "", searchKey1 = 0n, searchKey2 = 0n, userToken = "", effectiveDate } = event;
  const faults = [
    body instanceof Uint8Array ? undefined : "the body must be a Uint8Array",
    textFault("the client id", clientId),
    textFault("the user token", userToken),
    keyFault("search key 1", searchKey1),
    keyFault("search key 2", searchKey2),
    effectiveDate === undefined ? undefined : eventDateFault("the effective date", effectiveDate),
  ].filter((fault) => fault !== undefined);
  if (faults.length > 0) throw new MessagingError("INVALID_ARGUMENT", faults.join("; "));
  if (body.byteLength > maxEventBytes) {
    const text = `the event has ${body.byteLength} bytes; this service takes at most ${maxEventBytes}`;
    throw new MessagingError("TOO_LARGE", text);
  }
  const headers: Record<string, string> = {
    [EFFECTIVE_DATE]: formatEventDate(effectiveDate ?? eventDateOf(now)),
    [MARK_HEADER]: mark,
  };
  if (clientId !== "") headers[CLIENT_ID] = clientId;
  if (userToken !== "") headers[TOKEN] = userToken;
  if (searchKey1 !== 0n) headers[KEY_1] = String(searchKey1);
  if (searchKey2 !== 0n) headers[KEY_2] = String(searchKey2);
  const delayMs = effectiveDate === undefined ? 0 : Math.max(0, dueMs(effectiveDate) - now);
  return { message: { body, headers }, delayMs };
}

/** Reads an event back. Throws `MALFORMED` for headers that no post wrote. */
export function toStoredEvent({ body, headers }: IncomingMessage<Uint8Array>): StoredEvent {
  const date = headers[EFFECTIVE_DATE];
  return {
    body,
    clientId: headers[CLIENT_ID] ?? "",
    searchKey1: readKey(headers, KEY_1),
    searchKey2: readKey(headers, KEY_2),
    userToken: headers[TOKEN] ?? "",
    effectiveDate: date === undefined ? undefined : readDate(date),
  };
}

/** Why the text cannot be a client id or user token; undefined if it can. */
export function textFault(what: string, text: unknown): string | undefined {
  if (typeof text !== "string") return `${what} must be a string`;
  // A short one, as most are, need not be counted.
  const bytes = 3 * text.length <= MAX_TEXT_BYTES ? 0 : Buffer.byteLength(text);
  if (bytes > MAX_TEXT_BYTES) return `${what} has ${bytes} bytes of UTF-8; at most ${MAX_TEXT_BYTES} are allowed`;
  return HALF_SURROGATE.test(text) ? `${what} holds half a surrogate pair, which has no UTF-8` : undefined;
}

function keyFault(what: string, key: unknown): string | undefined {
  if (key === 0n || (typeof key === "bigint" && BigInt.asIntN(64, key) === key)) return undefined;
  return `${what} must be a bigint from -2^63 to 2^63 - 1`;
}

function readKey(headers: MessageHeaders, name: string): bigint {
  const text = headers[name];
  if (text === undefined) return 0n;
  const key = INT_64.test(text) ? BigInt(text) : undefined;
  if (key === undefined || BigInt.asIntN(64, key) !== key) throw malformed(`header ${name} is no 64-bit number`);
  return key;
}

function readDate(text: string): StoredEvent["effectiveDate"] {
  const date = parseEventDate(text);
  if (date === undefined) throw malformed(`header ${EFFECTIVE_DATE} is no date`);
  return date;
}

function malformed(text: string): MessagingError {
  return new MessagingError("MALFORMED", `not an event: ${text}`);
}
