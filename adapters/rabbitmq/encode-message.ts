import type { AmqpProperties, AmqpPublishMethod, AmqpTable } from "./amqp.js";

const METHOD_FRAME = 1;
const HEADER_FRAME = 2;
const BODY_FRAME = 3;
const FRAME_END = 0xce;
const FRAME_HEAD_BYTES = 7;
/** Around the payload of a frame. */
export const FRAME_OVERHEAD = 8;

const BASIC = 60;
const BASIC_PUBLISH = 0x003c0028;

/** Which properties there are, a bit for each, in the order in which they stand. */
const CONTENT_TYPE = 0x8000;
const CONTENT_ENCODING = 0x4000;
const HEADERS = 0x2000;
const DELIVERY_MODE = 0x1000;
const PRIORITY = 0x0800;
const CORRELATION_ID = 0x0400;
const REPLY_TO = 0x0200;
const EXPIRATION = 0x0100;
const MESSAGE_ID = 0x0080;
const TIMESTAMP = 0x0040;
const TYPE = 0x0020;
const APP_ID = 0x0008;

/** Of UTF-8 for each unit of a string. */
const MOST_BYTES = 3;
/** Everything in method and header frame but texts and table, generously. */
const FIXED_BYTES = 128;
/** A field of a table without its name and text, generously. */
const FIELD_BYTES = 16;
const MAX_SHORT_BYTES = 255;
/** Longer texts are written by the runtime. */
const MAX_BY_HAND = 64;

const TEXT_TAG = 0x53;
const INT8_TAG = 0x62;
const INT16_TAG = 0x73;
const INT32_TAG = 0x49;
const INT64_TAG = 0x6c;

/**
 * The most that method and header of a message take. Undefined for a message with something that is left to amqplib:
 * a header that is neither text nor a whole number, or a property that is not what it should be.
 */
export function headBound({ exchange, routingKey }: AmqpPublishMethod, properties: AmqpProperties): number | undefined {
  const { contentType, contentEncoding, correlationId, replyTo, expiration, messageId, type, appId } = properties;
  let units = exchange.length + routingKey.length + lengthOf(contentType) + lengthOf(contentEncoding);
  units += lengthOf(correlationId) + lengthOf(replyTo) + lengthOf(expiration);
  units += lengthOf(messageId) + lengthOf(type) + lengthOf(appId);
  const { headers, timestamp } = properties;
  if (Number.isNaN(units) || (timestamp !== undefined && !(Number.isSafeInteger(timestamp) && timestamp >= 0)))
    return undefined;
  let fields = 0;
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === "string") units += value.length;
    else if (!Number.isSafeInteger(value)) return undefined;
    units += name.length;
    fields += 1;
  }
  return FIXED_BYTES + MOST_BYTES * units + FIELD_BYTES * fields;
}

/**
 * Writes the frames of method and header, for which there is place. Returns where they end; -1 for what amqplib is to
 * refuse: a text that is too long.
 */
export function encodeHead(
  target: Buffer,
  start: number,
  channel: number,
  { exchange, routingKey, mandatory }: AmqpPublishMethod,
  properties: AmqpProperties,
  bodyBytes: number,
): number {
  let at = start + FRAME_HEAD_BYTES;
  at = target.writeUInt32BE(BASIC_PUBLISH, at);
  at = target.writeUInt16BE(0, at);
  at = writeShort(target, at, exchange);
  if (at > 0) at = writeShort(target, at, routingKey);
  if (at < 0) return -1;
  target[at] = mandatory ? 1 : 0;
  at = endFrame(target, start, METHOD_FRAME, channel, at + 1);

  const header = at;
  at = target.writeUInt16BE(BASIC, header + FRAME_HEAD_BYTES);
  at = target.writeUInt16BE(0, at);
  at = target.writeUInt32BE(Math.floor(bodyBytes / 2 ** 32), at);
  at = target.writeUInt32BE(bodyBytes >>> 0, at);
  at = writeProperties(target, at, properties);
  return at < 0 ? -1 : endFrame(target, header, HEADER_FRAME, channel, at);
}

/** The head of a frame with a piece of the body. */
export function encodeBodyHead(target: Buffer, start: number, channel: number, bytes: number): number {
  target[start] = BODY_FRAME;
  target.writeUInt16BE(channel, start + 1);
  return target.writeUInt32BE(bytes, start + 3);
}

export function encodeFrameEnd(target: Buffer, at: number): number {
  target[at] = FRAME_END;
  return at + 1;
}

function endFrame(target: Buffer, start: number, type: number, channel: number, at: number): number {
  target[start] = type;
  target.writeUInt16BE(channel, start + 1);
  target.writeUInt32BE(at - start - FRAME_HEAD_BYTES, start + 3);
  return encodeFrameEnd(target, at);
}

function writeProperties(target: Buffer, start: number, properties: AmqpProperties): number {
  const { contentType, contentEncoding, headers, deliveryMode, priority, timestamp } = properties;
  const { correlationId, replyTo, expiration, messageId, type, appId } = properties;
  let flags = 0;
  let at = start + 2;
  if (contentType !== undefined) {
    flags |= CONTENT_TYPE;
    at = writeShort(target, at, contentType);
  }
  if (contentEncoding !== undefined && at > 0) {
    flags |= CONTENT_ENCODING;
    at = writeShort(target, at, contentEncoding);
  }
  if (headers !== undefined && at > 0) {
    flags |= HEADERS;
    at = writeTable(target, at, headers);
  }
  if (at < 0) return -1;
  if (deliveryMode !== undefined) {
    flags |= DELIVERY_MODE;
    at = target.writeUInt8(deliveryMode, at);
  }
  if (priority !== undefined) {
    flags |= PRIORITY;
    at = target.writeUInt8(priority, at);
  }
  if (correlationId !== undefined) {
    flags |= CORRELATION_ID;
    at = writeShort(target, at, correlationId);
  }
  if (replyTo !== undefined && at > 0) {
    flags |= REPLY_TO;
    at = writeShort(target, at, replyTo);
  }
  if (expiration !== undefined && at > 0) {
    flags |= EXPIRATION;
    at = writeShort(target, at, expiration);
  }
  if (messageId !== undefined && at > 0) {
    flags |= MESSAGE_ID;
    at = writeShort(target, at, messageId);
  }
  if (timestamp !== undefined && at > 0) {
    flags |= TIMESTAMP;
    at = writeInt64(target, at, timestamp);
  }
  if (type !== undefined && at > 0) {
    flags |= TYPE;
    at = writeShort(target, at, type);
  }
  if (appId !== undefined && at > 0) {
    flags |= APP_ID;
    at = writeShort(target, at, appId);
  }
  target.writeUInt16BE(flags, start);
  return at;
}

function writeTable(target: Buffer, start: number, headers: AmqpTable): number {
  let at = start + 4;
  for (const name in headers) {
    at = writeShort(target, at, name);
    if (at < 0) return -1;
    const value = headers[name];
    if (typeof value === "string") {
      target[at] = TEXT_TAG;
      const end = writeText(target, at + 5, value);
      target.writeUInt32BE(end - at - 5, at + 1);
      at = end;
    } else at = writeWhole(target, at, value as number);
  }
  target.writeUInt32BE(at - start - 4, start);
  return at;
}

/** In the smallest type that holds it, as amqplib has it. */
function writeWhole(target: Buffer, at: number, value: number): number {
  if (value >= -0x80 && value < 0x80) {
    target[at] = INT8_TAG;
    return target.writeInt8(value, at + 1);
  }
  if (value >= -0x8000 && value < 0x8000) {
    target[at] = INT16_TAG;
    return target.writeInt16BE(value, at + 1);
  }
  if (value >= -0x80000000 && value < 0x80000000) {
    target[at] = INT32_TAG;
    return target.writeInt32BE(value, at + 1);
  }
  target[at] = INT64_TAG;
  return writeInt64(target, at + 1, value);
}

function writeInt64(target: Buffer, at: number, value: number): number {
  target.writeInt32BE(Math.floor(value / 2 ** 32), at);
  return target.writeUInt32BE(value >>> 0, at + 4);
}

/** -1: it is too long. */
function writeShort(target: Buffer, at: number, text: string): number {
  const end = writeText(target, at + 1, text);
  const bytes = end - at - 1;
  if (bytes > MAX_SHORT_BYTES) return -1;
  target[at] = bytes;
  return end;
}

/** By hand, as far as it is ASCII: a call into the runtime costs more than the short texts here. */
function writeText(target: Buffer, start: number, text: string): number {
  const { length } = text;
  if (length > MAX_BY_HAND) return start + target.write(text, start);
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return start + target.write(text, start);
    target[start + index] = code;
  }
  return start + length;
}

/** Not a number for what is no text, whatever its type says. */
function lengthOf(text: string | undefined): number {
  if (text === undefined) return 0;
  return typeof text === "string" ? text.length : Number.NaN;
}
