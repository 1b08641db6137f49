import type { AmqpMessage, AmqpProperties } from "./amqp.js";
import { KnownTexts } from "./known-texts.js";
import { LastText } from "./last-text.js";

/** A message as it lies in the bytes that came. */
export interface DecodedMessage {
  readonly consumerTag: string;
  readonly message: AmqpMessage;
  /** Where its last frame ends. */
  readonly end: number;
}

/** Of a message that is waited for until it has come whole. */
const MAX_WAITED_BYTES = 65_536;
/** All frames of such a message, however many they are. */
const MOST_HELD_BYTES = 4 * MAX_WAITED_BYTES;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

const HEADER_FRAME = 2;
const BODY_FRAME = 3;
const FRAME_END = 0xce;
/** Type, channel and size. */
const FRAME_HEAD_BYTES = 7;
const FRAME_OVERHEAD = 8;
const METHOD_ID_BYTES = 4;
const BASIC = 60;
/** Of a header frame, in front of the flags: class, weight and the size of the body. */
const FLAGS_AT = 12;

/** Cluster id and the mark that more flags follow: never seen, and left to amqplib. */
const RARE = 0x0005;

const NO_BODY = Buffer.alloc(0);
const texts = new KnownTexts();
const known = (bytes: Buffer, from: number, to: number): string => texts.read(bytes, from, to);
const consumerTags = new LastText(known);
const replyTos = new LastText(known);
const appIds = new LastText(known);
/** Known for the length of a stream only, and not to take the places of others. */
const correlationIds = new LastText((bytes, from, to) => bytes.toString("utf8", from, to));

/**
 * Reads the message whose first frame, a basic.deliver, starts at `start`. Undefined if not all of it is there, or if there is
 * something in it that is left to amqplib: a header that is neither text nor a whole number or flag, or what cannot be right.
 */
export function decodeMessage(bytes: Buffer, start: number): DecodedMessage | undefined {
  const { length } = bytes;
  const channel = bytes.readUInt16BE(start + 1);
  const header = start + FRAME_OVERHEAD + bytes.readUInt32BE(start + 3);
  if (header + FRAME_OVERHEAD + FLAGS_AT + 2 > length || bytes[header - 1] !== FRAME_END) return undefined;
  if (bytes[header] !== HEADER_FRAME || bytes.readUInt16BE(header + 1) !== channel) return undefined;
  const firstBody = header + FRAME_OVERHEAD + bytes.readUInt32BE(header + 3);
  const payload = header + FRAME_HEAD_BYTES;
  if (firstBody > length || bytes[firstBody - 1] !== FRAME_END || bytes.readUInt16BE(payload) !== BASIC)
    return undefined;
  const size = bytes.readUInt32BE(payload + 4) * 2 ** 32 + bytes.readUInt32BE(payload + 8);
  if (firstBody + size > length) return undefined;

  let content: Buffer = NO_BODY;
  let pieces: Buffer[] | undefined;
  let end = firstBody;
  for (let left = size; left > 0; ) {
    if (end + FRAME_OVERHEAD > length) return undefined;
    const pieceBytes = bytes.readUInt32BE(end + 3);
    const next = end + FRAME_OVERHEAD + pieceBytes;
    const isBody = bytes[end] === BODY_FRAME && bytes.readUInt16BE(end + 1) === channel;
    if (!isBody || pieceBytes > left || next > length || bytes[next - 1] !== FRAME_END) return undefined;
    const piece = bytes.subarray(end + FRAME_HEAD_BYTES, next - 1);
    if (end === firstBody) content = piece;
    else {
      pieces ??= [content];
      pieces.push(piece);
    }
    left -= pieceBytes;
    end = next;
  }
  const properties = decodeProperties(bytes, payload + FLAGS_AT, firstBody - 1);
  if (properties === undefined) return undefined;

  const method = start + FRAME_HEAD_BYTES + METHOD_ID_BYTES;
  const tagEnd = method + 1 + (bytes[method] ?? 0);
  const consumerTag = consumerTags.read(bytes, method + 1, tagEnd);
  const deliveryTag = bytes.readUInt32BE(tagEnd) * 2 ** 32 + bytes.readUInt32BE(tagEnd + 4);
  const fields = { deliveryTag, redelivered: ((bytes[tagEnd + 8] ?? 0) & 1) === 1 };
  if (pieces !== undefined) content = Buffer.concat(pieces, size);
  return { consumerTag, message: { content, fields, properties }, end };
}

/** Whether all of it that has come is as it should be, and the rest is worth waiting for. */
export function isOnItsWay(bytes: Buffer, start: number): boolean {
  const { length } = bytes;
  // Frames without anything in them could go on for ever.
  if (length - start > MOST_HELD_BYTES) return false;
  const channel = bytes.readUInt16BE(start + 1);
  let at = start + FRAME_OVERHEAD + bytes.readUInt32BE(start + 3);
  const payload = at + FRAME_HEAD_BYTES;
  if (payload + FLAGS_AT > length) return at + 3 > length || isFrameOf(bytes, at, HEADER_FRAME, channel);
  const headBytes = bytes.readUInt32BE(at + 3);
  const size = bytes.readUInt32BE(payload + 4) * 2 ** 32 + bytes.readUInt32BE(payload + 8);
  const isHeader = isFrameOf(bytes, at, HEADER_FRAME, channel) && headBytes >= FLAGS_AT + 2;
  if (!isHeader || headBytes + size > MAX_WAITED_BYTES) return false;
  at += FRAME_OVERHEAD + headBytes;
  for (let left = size; left > 0 && at < length; ) {
    if (at + FRAME_HEAD_BYTES > length) return at + 3 > length || isFrameOf(bytes, at, BODY_FRAME, channel);
    const pieceBytes = bytes.readUInt32BE(at + 3);
    if (!isFrameOf(bytes, at, BODY_FRAME, channel) || pieceBytes > left) return false;
    left -= pieceBytes;
    at += FRAME_OVERHEAD + pieceBytes;
    if (left === 0) return at > length;
  }
  return at >= length && (size > 0 || at > length);
}

function isFrameOf(bytes: Buffer, at: number, type: number, channel: number): boolean {
  return bytes[at] === type && bytes.readUInt16BE(at + 1) === channel;
}

/** In the order in which they stand. Undefined: something is left to amqplib. */
function decodeProperties(bytes: Buffer, start: number, end: number): AmqpProperties | undefined {
  const flags = bytes.readUInt16BE(start);
  if ((flags & RARE) !== 0) return undefined;
  const reader = new PropertyReader(bytes, start + 2);
  const properties: Writable<AmqpProperties> = {
    contentType: (flags & 0x8000) === 0 ? undefined : reader.known(),
    contentEncoding: (flags & 0x4000) === 0 ? undefined : reader.known(),
    headers: (flags & 0x2000) === 0 ? undefined : reader.table(),
    deliveryMode: (flags & 0x1000) === 0 ? undefined : reader.byte(),
    priority: (flags & 0x0800) === 0 ? undefined : reader.byte(),
    correlationId: (flags & 0x0400) === 0 ? undefined : reader.again(correlationIds),
    replyTo: (flags & 0x0200) === 0 ? undefined : reader.again(replyTos),
    expiration: (flags & 0x0100) === 0 ? undefined : reader.known(),
    messageId: (flags & 0x0080) === 0 ? undefined : reader.text(),
    timestamp: (flags & 0x0040) === 0 ? undefined : reader.unsigned(),
    type: (flags & 0x0020) === 0 ? undefined : reader.known(),
    appId: undefined,
  };
  // The user's id, which nobody reads.
  if ((flags & 0x0010) !== 0) reader.text();
  if ((flags & 0x0008) !== 0) properties.appId = reader.again(appIds);
  return reader.isPlain && reader.at === end ? properties : undefined;
}

class PropertyReader {
  readonly #bytes: Buffer;
  at: number;
  /** False once something was met that is not read here. */
  isPlain = true;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  byte(): number {
    this.at += 1;
    return this.#bytes[this.at - 1] ?? 0;
  }

  wide(): number {
    this.at += 8;
    return this.#bytes.readInt32BE(this.at - 8) * 2 ** 32 + this.#bytes.readUInt32BE(this.at - 4);
  }

  unsigned(): number {
    this.at += 8;
    return this.#bytes.readUInt32BE(this.at - 8) * 2 ** 32 + this.#bytes.readUInt32BE(this.at - 4);
  }

  /** One that comes again and again. */
  known(): string {
    return this.#knownOf(this.byte());
  }

  text(): string {
    return this.#textOf(this.byte());
  }

  /** One that may be the same as in the message before. */
  again(last: LastText): string {
    const length = this.byte();
    this.at += length;
    return last.read(this.#bytes, this.at - length, this.at);
  }

  table(): Record<string, unknown> {
    const fields: Record<string, unknown> = {};
    const bytes = this.#bytes.readUInt32BE(this.at);
    this.at += 4;
    const end = this.at + bytes;
    while (this.isPlain && this.at < end) {
      const name = this.known();
      if (name === "__proto__") this.isPlain = false;
      else fields[name] = this.#field();
    }
    if (this.at !== end) this.isPlain = false;
    // What stands behind it is found all the same.
    this.at = end;
    return fields;
  }

  #field(): unknown {
    const tag = this.byte();
    const from = this.at;
    switch (tag) {
      case 0x53: {
        this.at += 4;
        const length = this.#bytes.readUInt32BE(from);
        return length <= MAX_KNOWN_VALUE ? this.#knownOf(length) : this.#textOf(length);
      }
      case 0x62:
        this.at += 1;
        return this.#bytes.readInt8(from);
      case 0x73:
        this.at += 2;
        return this.#bytes.readInt16BE(from);
      case 0x49:
        this.at += 4;
        return this.#bytes.readInt32BE(from);
      case 0x6c:
        return this.wide();
      case 0x74:
        return this.byte() !== 0;
      default:
        this.isPlain = false;
        return undefined;
    }
  }

  #knownOf(length: number): string {
    this.at += length;
    return texts.read(this.#bytes, this.at - length, this.at);
  }

  #textOf(length: number): string {
    this.at += length;
    return this.#bytes.toString("utf8", this.at - length, this.at);
  }
}

/** Longer values are mostly ids, of which each is another. */
const MAX_KNOWN_VALUE = 20;
