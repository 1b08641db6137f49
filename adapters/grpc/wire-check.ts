import { isUtf8 } from "node:buffer";
import { BYTES, FIXED_32, FIXED_64, VARINT, type WireSchema } from "./wire-schema.js";

/** Entries of repeated fields, in the main: each costs a hundred times its bytes to read. */
const MAX_FIELDS = 10_050;
/** A check of so few bytes is quicker in here. */
const SHORT = 64;

export interface WireFaults {
  /** The whole message must not be read. */
  unreadable?: string;
  /** There are too many fields to read it. */
  isTooLong?: boolean;
  /** It can be read, but for a text that is none. */
  text?: string;
  /** As `text`, of one entry of a repeated field at the top. */
  readonly entries: { readonly field: string; readonly index: number; readonly text: string }[];
}

/** Checks what the library does not: that each field has the wire type that it is declared with, and texts are UTF-8. */
export function checkWire(bytes: Buffer, schema: WireSchema): WireFaults | undefined {
  const check = new WireCheck(bytes);
  check.message(schema, bytes.length, true);
  return check.faults;
}

class WireCheck {
  faults: WireFaults | undefined;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Returns the first text that is none. Stops at what cannot be read. */
  message(schema: WireSchema, end: number, isTop: boolean): string | undefined {
    let badText: string | undefined;
    let counts: Map<string, number> | undefined;
    for (let fields = 0; this.#at < end; fields += 1) {
      if (fields === MAX_FIELDS) {
        this.#note().isTooLong = true;
        return undefined;
      }
      const tag = this.#varint(end);
      if (tag === undefined) return this.#unreadable("it ends within a field");
      const wireType = tag & 7;
      const rule = schema.get(tag >>> 3);
      // A repeated number is sent as one field of all (packed) as well as one by one.
      const isPacked = rule?.isRepeated === true && wireType === BYTES;
      if (rule !== undefined && rule.wireType !== wireType && !isPacked) {
        return this.#unreadable(`${rule.name} has wire type ${wireType} instead of ${rule.wireType}`);
      }
      if (tag >>> 3 === 0) return this.#unreadable("there is no field 0");
      const length = this.#lengthOf(wireType, end);
      if (length === undefined) return undefined;
      const fieldEnd = this.#at + length;
      if (fieldEnd > end) return this.#unreadable("it ends within a field");
      // Of such a number the library reads five bytes, or ten.
      if (rule?.isShort === true && length > 5 && length < 10) return this.#unreadable(`${rule.name} is too large`);
      if (rule?.message !== undefined) {
        const text = this.message(rule.message, fieldEnd, false);
        if (this.faults !== undefined && (this.faults.unreadable !== undefined || this.faults.isTooLong))
          return undefined;
        if (isTop && rule.isRepeated) {
          counts ??= new Map();
          const index = counts.get(rule.name) ?? 0;
          counts.set(rule.name, index + 1);
          if (text !== undefined) this.#note().entries.push({ field: rule.name, index, text });
        } else {
          badText ??= text;
        }
      } else if (rule?.isText === true && !this.#isText(fieldEnd)) {
        badText ??= rule.name;
      }
      this.#at = fieldEnd;
    }
    if (isTop && badText !== undefined) this.#note().text = badText;
    return badText;
  }

  /** Of what follows the tag, once the length itself is read; undefined: unreadable, and noted. */
  #lengthOf(wireType: number, end: number): number | undefined {
    if (wireType === BYTES) {
      const length = this.#varint(end);
      return length ?? this.#unreadable("a length is not whole");
    }
    if (wireType === FIXED_64) return 8;
    if (wireType === FIXED_32) return 4;
    if (wireType !== VARINT) return this.#unreadable(`there is no wire type ${wireType}`);
    for (let length = 1; length <= 10; length += 1) {
      const byte = this.#bytes[this.#at + length - 1];
      if (byte !== undefined && byte < 128) return length;
    }
    return this.#unreadable("a number is not whole");
  }

  /** A tag or a length. */
  #varint(end: number): number | undefined {
    let value = 0;
    for (let scale = 1; this.#at < end && scale <= 268_435_456; scale *= 128) {
      const byte = this.#bytes[this.#at] ?? 0;
      this.#at += 1;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    return undefined;
  }

  #isText(end: number): boolean {
    if (end - this.#at > SHORT) return isUtf8(this.#bytes.subarray(this.#at, end));
    for (let at = this.#at; at < end; at += 1) {
      if ((this.#bytes[at] ?? 0) > 127) return isUtf8(this.#bytes.subarray(this.#at, end));
    }
    return true;
  }

  #unreadable(why: string): undefined {
    this.#note().unreadable ??= why;
    return undefined;
  }

  #note(): WireFaults {
    this.faults ??= { entries: [] };
    return this.faults;
  }
}
