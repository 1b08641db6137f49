import { MessagingError } from "../../errors/messaging-error.js";
import type { Codec } from "../../ports/codec.js";
import { errorText } from "../../util/error-text.js";
import { bytesCodec } from "../codec.js";

export interface EncodedBody {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

/** Throws `INVALID_ARGUMENT`. Raw bytes keep the content type that they came with. */
export function encodeBody<T>(codec: Codec<T>, body: T, contentType: string | undefined): EncodedBody {
  try {
    const isRaw = (codec as unknown) === bytesCodec;
    return {
      bytes: codec.encode(body),
      contentType: isRaw && contentType !== undefined ? contentType : codec.contentType,
    };
  } catch (cause) {
    throw new MessagingError(
      "INVALID_ARGUMENT",
      `the body cannot be encoded as ${codec.contentType}: ${errorText(cause)}`,
      {
        cause,
      },
    );
  }
}

/** By the content type; raw bytes take any. Throws `MALFORMED` without the codec's words, which may quote the body. */
export function decodeBody<T>(codecs: readonly Codec<T>[], { bytes, contentType }: EncodedBody): T {
  const codec = codecs.find((one) => one.contentType === contentType || (one as unknown) === bytesCodec);
  if (codec === undefined) {
    const known = codecs.map((one) => one.contentType).join(", ");
    throw new MessagingError(
      "MALFORMED",
      `the content type ${JSON.stringify(contentType)} is not understood; known: ${known}`,
    );
  }
  try {
    return codec.decode(bytes);
  } catch (cause) {
    throw new MessagingError("MALFORMED", `malformed: not readable as ${codec.contentType}`, { cause });
  }
}

export function codecList<T>(
  codec: Codec<T> | readonly Codec<T>[] | undefined,
  fallback: Codec<T>,
): readonly Codec<T>[] {
  if (codec === undefined) return [fallback];
  return Array.isArray(codec) ? (codec as readonly Codec<T>[]) : [codec as Codec<T>];
}
