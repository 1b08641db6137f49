import type { WireMessage } from "../driver/driver.js";
import { RESERVED_PREFIX } from "../driver/reserved-headers.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Codec } from "../ports/codec.js";
import type { IncomingMessage, MessageHeaders, OutgoingMessage } from "../ports/message.js";
import { errorText } from "../util/error-text.js";
import type { CoreContext } from "./core-context.js";
import { checkHeaders, invalid } from "./options.js";

export const NO_HEADERS: MessageHeaders = Object.freeze({});
/** What AMQP allows for its short strings; other brokers allow more. */
const MAX_ID_BYTES = 255;

/** What a queue adds to a message. */
export type WireOptions = Pick<WireMessage, "priority" | "delayMs" | "expiresInMs" | "uniqueForMs" | "persistent">;

const TRANSIENT: WireOptions = { persistent: false };

/** Encodes and checks what an application hands over. Throws `INVALID_ARGUMENT` or `TOO_LARGE`. */
export function toWireMessage<T>(
  { driver, clock, messageIds }: CoreContext,
  codec: Codec<T>,
  message: OutgoingMessage<T>,
  { priority, delayMs, expiresInMs, uniqueForMs, persistent }: WireOptions = TRANSIENT,
): WireMessage {
  const { headers = NO_HEADERS, messageId, correlationId } = message;
  if (headers !== NO_HEADERS) checkHeaders(headers);
  checkId("messageId", messageId);
  checkId("correlationId", correlationId);
  const body = encode(codec, message.body);
  const { maxMessageBytes } = driver.capabilities;
  if (body.byteLength > maxMessageBytes) {
    throw new MessagingError(
      "TOO_LARGE",
      `the body has ${body.byteLength} bytes; ${driver.name} takes at most ${maxMessageBytes}`,
    );
  }
  // Field by field, and always all of them: spreads and shapes that differ are slow from here to the broker.
  return {
    messageId: messageId ?? messageIds.next(),
    correlationId,
    contentType: codec.contentType,
    headers,
    body,
    timestamp: clock.now(),
    priority,
    delayMs,
    expiresInMs,
    uniqueForMs,
    persistent,
  };
}

/** Decodes what arrived. Throws `MALFORMED`. */
export function toIncomingMessage<T>(codec: Codec<T>, wire: WireMessage): IncomingMessage<T> {
  return {
    body: decodeBody(codec, wire),
    headers: withoutReserved(wire.headers),
    messageId: wire.messageId,
    correlationId: wire.correlationId,
  };
}

/** Throws `MALFORMED`. */
export function decodeBody<T>(codec: Codec<T>, wire: WireMessage): T {
  try {
    return codec.decode(wire.body);
  } catch (error) {
    // Without the codec's own words, which may quote the body; they are in the cause.
    throw new MessagingError("MALFORMED", `malformed: not readable as ${codec.contentType}`, {
      cause: error,
    });
  }
}

function encode<T>(codec: Codec<T>, body: T): Uint8Array {
  try {
    return codec.encode(body);
  } catch (error) {
    throw new MessagingError(
      "INVALID_ARGUMENT",
      `the body cannot be encoded as ${codec.contentType}: ${errorText(error)}`,
      {
        cause: error,
      },
    );
  }
}

function checkId(name: string, value: unknown): void {
  if (value === undefined) return;
  if (typeof value !== "string" || value === "") throw invalid([`${name} must be a non-empty string`]);
  if (Buffer.byteLength(value) > MAX_ID_BYTES)
    throw invalid([`${name} takes more than ${MAX_ID_BYTES} bytes of UTF-8`]);
}

export function withoutReserved(headers: MessageHeaders): MessageHeaders {
  if (headers === NO_HEADERS) return headers;
  let reserved = 0;
  let all = 0;
  for (const name in headers) {
    all += 1;
    if (name.startsWith(RESERVED_PREFIX)) reserved += 1;
  }
  if (reserved === 0) return headers;
  if (reserved === all) return NO_HEADERS;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(RESERVED_PREFIX)));
}
