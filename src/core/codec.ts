import type { Codec } from "../ports/codec.js";
import { parseJson } from "../util/parse-json.js";

/** Raw bytes, passed through uncopied. Refuses anything that is not a Uint8Array. */
export const bytesCodec: Codec<Uint8Array> = {
  contentType: "application/octet-stream",
  encode(value) {
    if (!(value instanceof Uint8Array)) {
      throw new TypeError("the body is not a Uint8Array; pass a codec, for example { codec: jsonCodec() }");
    }
    return value;
  },
  decode: (bytes) => bytes,
};

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** JSON as UTF-8. Refuses what JSON cannot say (undefined, functions, bigint, cycles) and text that is not JSON. */
export function jsonCodec<T = unknown>(): Codec<T> {
  return {
    contentType: "application/json",
    encode(value) {
      const text = JSON.stringify(value) as string | undefined;
      if (text === undefined) throw new TypeError(`a body of type ${typeof value} has no JSON form`);
      return encoder.encode(text);
    },
    // "__proto__" as a key: JSON.parse makes it an own property and writes no prototype.
    decode: (bytes) => parseJson(decoder.decode(bytes)) as T,
  };
}
