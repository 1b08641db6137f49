import type { Dice } from "./fuzzed-frame.js";

/** By the numbers of their fields: what the messages of the contracts may look like. */
const TEXTS = [
  "",
  "nobody",
  "x",
  "faults",
  "\u0000",
  "\u2603".repeat(90),
  "9999-12-31T23:59:59Z",
  "fairlead-faults-work",
];
const NUMBERS = [0n, 1n, 2n ** 31n, 2n ** 63n - 1n, 2n ** 64n - 1n, 253_402_300_800n, 10_000n];
const DEEPEST = 3;
const LARGE_BYTES = 5_000_000;

/** A protobuf message that may be anything: fields of every number and kind, some of them broken. */
export function fuzzedMessage(dice: Dice): Buffer {
  const kind = dice(40);
  if (kind === 0) return Buffer.alloc(0);
  if (kind < 6) return randomBytes(dice, dice(200));
  const message = fields(dice, 0);
  // Cut off somewhere.
  return kind < 10 ? message.subarray(0, dice(message.length + 1)) : message;
}

/** The message as gRPC frames it, rarely wrong. */
export function fuzzedEnvelope(dice: Dice, message: Buffer): Buffer {
  const kind = dice(60);
  const body = kind === 0 ? Buffer.alloc(LARGE_BYTES, 0x0a) : message;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  if (kind === 1) head.writeUInt32BE(0xffff_ffff, 1);
  if (kind === 2) head.writeUInt32BE(body.length + 10, 1);
  // Compressed, it says.
  if (kind === 3 || kind === 4) head[0] = kind === 3 ? 1 : 0xff;
  return Buffer.concat([head, body]);
}

export function randomBytes(dice: Dice, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => dice(256)));
}

function fields(dice: Dice, depth: number): Buffer {
  return Buffer.concat(Array.from({ length: dice(6) + 1 }, () => field(dice, depth)));
}

function field(dice: Dice, depth: number): Buffer {
  const number = dice(30) === 0 ? dice(5_000) : 1 + dice(14);
  const pick = <T>(items: readonly T[]): T => items[dice(items.length)] as T;
  switch (dice(depth < DEEPEST ? 8 : 6)) {
    case 0:
    case 1:
      return Buffer.concat([varint(BigInt(number << 3)), varint(pick(NUMBERS))]);
    case 2:
    case 3:
      return bytes(number, Buffer.from(pick(TEXTS)));
    case 4:
      return bytes(number, randomBytes(dice, dice(40)));
    case 5:
      // A kind that is none, or whose rest is missing.
      return Buffer.concat([varint(BigInt((number << 3) | dice(8))), randomBytes(dice, dice(4))]);
    default:
      return bytes(number, fields(dice, depth + 1));
  }
}

function bytes(number: number, value: Buffer): Buffer {
  return Buffer.concat([varint(BigInt((number << 3) | 2)), varint(BigInt(value.length)), value]);
}

function varint(value: bigint): Buffer {
  const parts: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) parts.push(Number(rest & 127n) | 128);
  parts.push(Number(rest));
  return Buffer.from(parts);
}
