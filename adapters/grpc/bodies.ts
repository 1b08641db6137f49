import { MessagingError } from "../../src/errors/messaging-error.js";
import type { Codec } from "../../src/ports/codec.js";
import { errorText } from "../../src/util/error-text.js";
import { BYTES_TYPE } from "./call-request.js";

export interface EncodedBody {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

/** Raw bytes, which keep the content type that they came with, and are not copied. */
export const rawBytes: Codec<Uint8Array> = {
  contentType: BYTES_TYPE,
  encode(value) {
    if (value instanceof Uint8Array) return value;
    throw new TypeError("the body is not a Uint8Array; pass a codec, for example { codec: jsonCodec() }");
  },
  decode: (bytes) => bytes,
};

/** Throws `INVALID_ARGUMENT`. */
export function encodeBody<T>(codec: Codec<T>, body: T, contentType: string | undefined): EncodedBody {
  try {
    const isRaw = codec.contentType === BYTES_TYPE;
    return { bytes: codec.encode(body), contentType: isRaw ? (contentType ?? BYTES_TYPE) : codec.contentType };
  } catch (cause) {
    const text = `the body cannot be encoded as ${codec.contentType}: ${errorText(cause)}`;
    throw new MessagingError("INVALID_ARGUMENT", text, { cause });
  }
}

/** By the content type; raw bytes take any. Throws `MALFORMED`, without the codec's words, which may quote the body. */
export function decodeBody<T>(codecs: readonly Codec<T>[], { bytes, contentType }: EncodedBody): T {
  const codec = codecs.find((one) => one.contentType === contentType || one.contentType === BYTES_TYPE);
  if (codec === undefined) {
    const known = codecs.map((one) => one.contentType).join(", ");
    const text = `the content type ${JSON.stringify(contentType)} is not understood; known: ${known}`;
    throw new MessagingError("MALFORMED", text);
  }
  try {
    return codec.decode(bytes);
  } catch (cause) {
    throw new MessagingError("MALFORMED", `a response is not readable as ${codec.contentType}`, { cause });
  }
}
