/** Of tables and lists within a table of headers: more than anybody writes, and far less than what a stack holds. */
const MAX_DEPTH = 32;

const BASIC = 60;
/** Of a header frame's payload, in front of the flags: class, weight and the size of the body. */
const FLAGS_AT = 12;
const CONTENT_TYPE = 0x8000;
const CONTENT_ENCODING = 0x4000;
const HEADERS = 0x2000;

const LENGTH_BYTES = 4;
const TEXT = 0x53;
const TABLE = 0x46;
const LIST = 0x41;
const BYTES = 0x78;
/** Of the values that say no length of their own, by their tag: V, b, B, t, s, u, I, i, f, D, l, d, T. */
const FIXED_BYTES: ReadonlyMap<number, number> = new Map([
  [0x56, 0],
  [0x62, 1],
  [0x42, 1],
  [0x74, 1],
  [0x73, 2],
  [0x75, 2],
  [0x49, 4],
  [0x69, 4],
  [0x66, 4],
  [0x44, 5],
  [0x6c, 8],
  [0x64, 8],
  [0x54, 8],
]);

interface Container {
  readonly isTable: boolean;
  readonly end: number;
}

/**
 * Makes bytes, in place, of what is deeper in the headers of this header frame's payload than anybody writes. Whoever reads
 * them recurses, amqplib as well as we: a few kilobytes would be an error in every process that they are handed to, for ever.
 */
export function boundDepth(bytes: Buffer, start: number, end: number): void {
  let at = start + FLAGS_AT + 2;
  if (at > end || bytes.readUInt16BE(start) !== BASIC) return;
  const flags = bytes.readUInt16BE(start + FLAGS_AT);
  if ((flags & HEADERS) === 0) return;
  if ((flags & CONTENT_TYPE) !== 0) at += 1 + (bytes[at] ?? 0);
  if ((flags & CONTENT_ENCODING) !== 0) at += 1 + (bytes[at] ?? 0);
  if (at + LENGTH_BYTES > end) return;
  const tableEnd = at + LENGTH_BYTES + bytes.readUInt32BE(at);
  if (tableEnd <= end) boundTable(bytes, at + LENGTH_BYTES, tableEnd);
}

/** By the lengths alone. What cannot be right is left for amqplib to refuse. */
function boundTable(bytes: Buffer, start: number, end: number): void {
  const open: Container[] = [{ isTable: true, end }];
  let at = start;
  for (let inner = open.at(-1); inner !== undefined; inner = open.at(-1)) {
    if (at > inner.end) return;
    if (at === inner.end) {
      open.pop();
      continue;
    }
    if (inner.isTable) at += 1 + (bytes[at] ?? 0);
    const tagAt = at;
    const tag = bytes[tagAt] ?? 0;
    const from = tagAt + 1 + LENGTH_BYTES;
    const fixed = FIXED_BYTES.get(tag);
    if (fixed !== undefined) {
      at = tagAt + 1 + fixed;
      continue;
    }
    if (from > inner.end) return;
    const to = from + bytes.readUInt32BE(tagAt + 1);
    if (to > inner.end) return;
    if (tag === TEXT || tag === BYTES) at = to;
    else if (tag !== TABLE && tag !== LIST) return;
    else if (open.length <= MAX_DEPTH) {
      open.push({ isTable: tag === TABLE, end: to });
      at = from;
    } else {
      bytes[tagAt] = BYTES;
      at = to;
    }
  }
}
