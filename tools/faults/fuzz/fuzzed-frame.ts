import { FRAME, FRAME_HEADER, type WireMessage } from "../../../src/driver/index.js";

export const HEADER_VALUES: readonly string[] = [
  "",
  "0",
  "1",
  "2",
  "-1",
  "1e9",
  "0x10",
  "NaN",
  "Infinity",
  "999999999999999999999",
  "9007199254740991",
  "-9007199254740992",
  "V4",
  "V5",
  "V9",
  "true",
  "no",
  "\u0000",
  "a\r\nb: c",
  "__proto__",
  "\u2603".repeat(50),
  "x".repeat(4_000),
];
const BODIES = [
  "",
  "x",
  "null",
  "[]",
  "{",
  "[[[[",
  '{"intervalMs":1,"calls":[[1,2,3]]}',
  '{"__proto__":{"x":1}}',
  '"text"',
];
const CONTENT_TYPES = ["application/octet-stream", "application/json", "text/none", "", "application/json; charset=x"];
export const OTHER_HEADERS: readonly string[] = [
  "fairlead-failures",
  "fairlead-losses",
  "fairlead-released",
  "event-mark",
  "x-death",
  "content-type",
  "",
];

export type Dice = (sides: number) => number;

export function diceOf(random: () => number): Dice {
  return (sides) => Math.floor(random() * sides);
}

/** A frame that may look like anything; `ids` are names of calls that it may be about. */
export function fuzzedFrame(dice: Dice, ids: readonly string[]): WireMessage {
  const pick = <T>(items: readonly T[]): T => items[dice(items.length)] as T;
  const headers: Record<string, string> = {};
  for (const header of Object.values(FRAME_HEADER)) if (dice(3) === 0) headers[header] = pick(HEADER_VALUES);
  for (const header of OTHER_HEADERS) if (dice(8) === 0 && header !== "") headers[header] = pick(HEADER_VALUES);
  const body = dice(4) === 0 ? Uint8Array.from({ length: dice(64) }, () => dice(256)) : Buffer.from(pick(BODIES));
  return {
    messageId: pick(["m", "", ...ids]),
    type: pick([...Object.values(FRAME), ...Object.values(FRAME), undefined, "", "Nonsense"]),
    correlationId: pick([...ids, ...ids, undefined, "", "nobody"]),
    contentType: pick(CONTENT_TYPES),
    headers,
    body,
    timestamp: pick([0, 1, Date.now(), 4_102_444_800_000]),
    persistent: false,
  };
}
