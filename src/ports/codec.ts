/** Bytes and back. A decoded value never executes code nor writes a prototype. */
export interface Codec<T> {
  /** The MIME type that travels with the message. */
  readonly contentType: string;
  /** Throws for a value that cannot be encoded; the publish then rejects with `INVALID_ARGUMENT`. */
  encode(value: T): Uint8Array;
  /** Throws for bytes that it cannot read; the delivery then goes straight to the dead letters as `MALFORMED`. */
  decode(bytes: Uint8Array): T;
}
