import { encode, text } from "./wire-client.js";

/** What a field is filled with, in the order of the tables. */
export const HOSTILE = ["huge", "negative", "NUL", "no UTF-8", "year 9999", "year -1", "empty", "wrong type"] as const;
export type Hostile = (typeof HOSTILE)[number];

export type FieldKind = "text" | "number" | "date" | "message";

const HUGE_TEXT = Buffer.alloc(1_200_000, "x");
const YEAR_9999 = 253_402_300_799n;
const YEAR_MINUS_1 = -62_198_755_200n;
const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;

const tag = (number: number, wireType: number): Buffer => Buffer.from([(number << 3) | wireType]);
const date = (seconds: bigint, nanos: bigint): Buffer =>
  encode([
    [1, seconds],
    [2, nanos],
  ]);

/** The field on the wire, with its tag. */
export function hostileField(number: number, kind: FieldKind, value: Hostile): Buffer {
  if (value === "wrong type") return encode([[number, kind === "number" ? text("1") : 1n]]);
  if (kind === "number") {
    // A number that never ends, and none at all.
    if (value === "no UTF-8") return Buffer.concat([tag(number, 0), Buffer.alloc(11, 0xff)]);
    if (value === "empty") return tag(number, 0);
    return encode([[number, NUMBERS[value]]]);
  }
  const values = kind === "text" ? TEXTS : kind === "date" ? DATES : MESSAGES;
  return encode([[number, values[value]]]);
}

type Values<T, Without extends Hostile> = Readonly<Record<Exclude<Hostile, Without>, T>>;

const NUMBERS: Values<bigint, "wrong type" | "no UTF-8" | "empty"> = {
  huge: MOST,
  negative: LEAST,
  NUL: 0n,
  "year 9999": YEAR_9999,
  "year -1": YEAR_MINUS_1,
};

const TEXTS: Values<Buffer, "wrong type"> = {
  huge: HUGE_TEXT,
  negative: text("-1"),
  NUL: text("\u0000"),
  "no UTF-8": Buffer.from([0x7b, 0xc3, 0x28, 0x7d]),
  "year 9999": text("9999-12-31T23:59:59Z"),
  "year -1": text("-0001-01-01T00:00:00Z"),
  empty: Buffer.alloc(0),
};

const DATES: Values<Buffer, "wrong type"> = {
  huge: date(MOST, 2n ** 31n - 1n),
  negative: date(-1n, -1n),
  NUL: Buffer.from([0]),
  "no UTF-8": Buffer.from([0xff, 0xff]),
  "year 9999": date(YEAR_9999, 999_999_999n),
  "year -1": date(YEAR_MINUS_1, 0n),
  empty: Buffer.alloc(0),
};

/** Any message: a field that it does not know, bytes that are none. */
const MESSAGES: Values<Buffer, "wrong type"> = {
  huge: encode([[99, HUGE_TEXT]]),
  negative: encode([[99, LEAST]]),
  NUL: Buffer.from([0]),
  "no UTF-8": Buffer.from([0xff, 0xff]),
  "year 9999": encode([[99, text("9999")]]),
  "year -1": encode([[99, YEAR_MINUS_1]]),
  empty: Buffer.alloc(0),
};
