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

/** Encodes and checks what an application hands over. Throws `INVALID_ARGUMENT` or `TOO_LARGE`. */
export function toWireMessage<T>(
  { driver, clock, random }: CoreContext,
  codec: Codec<T>,
  message: OutgoingMessage<T>,
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
  return {
    messageId: messageId ?? random.uuid(),
    correlationId,
    contentType: codec.contentType,
    headers,
    body,
    timestamp: clock.now(),
    persistent: false,
  };
}

/** Decodes what arrived. Throws `MALFORMED`. */
export function toIncomingMessage<T>(codec: Codec<T>, wire: WireMessage): IncomingMessage<T> {
  let body: T;
  try {
    body = codec.decode(wire.body);
  } catch (error) {
    // Without the codec's own words, which may quote the body; they are in the cause.
    throw new MessagingError("MALFORMED", `malformed: not readable as ${codec.contentType}`, {
      cause: error,
    });
  }
  return {
    body,
    headers: withoutReserved(wire.headers),
    messageId: wire.messageId,
    correlationId: wire.correlationId,
  };
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
