import { MessagingError } from "../../src/errors/messaging-error.js";

/** A body is sent in parts of this size: every library takes messages of it, and a slow reader holds up no more. */
export const PART_BYTES = 262_144;

/** The part that goes with the first frame; the whole of a small body. */
export function firstPart(body: Uint8Array): Uint8Array {
  return body.byteLength <= PART_BYTES ? body : body.subarray(0, PART_BYTES);
}

/** The parts behind the first. */
export function* furtherParts(body: Uint8Array): Generator<Uint8Array> {
  for (let at = PART_BYTES; at < body.byteLength; at += PART_BYTES) yield body.subarray(at, at + PART_BYTES);
}

/** Puts a body together again. All of its memory is taken at the start: many small parts cost no more than few large ones. */
export class BodyParts {
  readonly #whole: Buffer;
  #length = 0;

  /** Throws as `add` does. */
  constructor(first: Uint8Array, totalBytes: number) {
    this.#whole = Buffer.allocUnsafeSlow(totalBytes);
    if (first.byteLength > 0) this.add(first);
  }

  /** The body, once it is whole. */
  get whole(): Buffer | undefined {
    return this.#length === this.#whole.byteLength ? this.#whole : undefined;
  }

  /** Throws `INVALID_ARGUMENT` for a part that is empty, or that is more than the body was to have. */
  add(part: Uint8Array): void {
    const total = this.#whole.byteLength;
    if (part.byteLength === 0) throw new MessagingError("INVALID_ARGUMENT", "a part of the body is empty");
    if (this.#length + part.byteLength > total) {
      throw new MessagingError("INVALID_ARGUMENT", `the body is longer than its body_bytes, ${total}`);
    }
    this.#whole.set(part, this.#length);
    this.#length += part.byteLength;
  }
}
