import { randomUUID } from "node:crypto";
import type { WireMessage } from "../../src/driver/driver.js";
import { FRAME } from "../../src/driver/request-frames.js";
import type { MessageHeaders } from "../../src/ports/message.js";
import { type AmqpMessage, type AmqpProperties, type AmqpPublishOptions, MAX_EXPIRATION_MS } from "./amqp.js";
import { COMPACT, EXPIRES_AT_HEADER, fromTable, toTable, toTableAgain } from "./headers.js";

/** The latest time that a Date can hold (ECMAScript, "Time Values and Time Range"). */
const LATEST_SECONDS = 8_640_000_000_000;

/** Properties for publishing; the headers are ours to add to. `through` says whether a delay comes first. */
export function toPublishOptions(
  message: WireMessage,
  through: "directly" | "delayed" = "directly",
): AmqpPublishOptions {
  const headers = toTable(message.headers);
  let expiration: string | undefined;
  if (message.expiresInMs !== undefined) {
    headers[EXPIRES_AT_HEADER] = Math.ceil(Date.now() + message.expiresInMs);
    if (through === "directly") expiration = toExpiration(message.expiresInMs);
  }
  return {
    headers,
    expiration,
    contentType: message.contentType,
    deliveryMode: message.persistent ? 2 : 1,
    correlationId: message.correlationId,
    replyTo: message.replyTo,
    messageId: message.messageId,
    timestamp: Math.floor(message.timestamp / 1000),
    type: message.type,
    appId: message.type === FRAME.signal && message.replyTo !== undefined ? COMPACT : undefined,
  };
}

/** Properties for publishing a received message again: foreign ones kept, what the broker noted left out. */
export function toPublishOptionsAgain(
  { properties }: AmqpMessage,
  messageId: string,
  headers: MessageHeaders,
  expiry: "directly" | "delayed" | "dropped",
): AmqpPublishOptions {
  const table = toTableAgain(headers, properties.headers);
  let expiration: string | undefined;
  const expiresAt = expiry === "dropped" ? undefined : expiresAtOf(properties);
  if (expiresAt !== undefined) {
    table[EXPIRES_AT_HEADER] = expiresAt;
    if (expiry === "directly") expiration = toExpiration(expiresAt - Date.now());
  }
  return {
    headers: table,
    expiration,
    messageId,
    contentType: properties.contentType,
    contentEncoding: properties.contentEncoding,
    deliveryMode: properties.deliveryMode,
    priority: properties.priority,
    correlationId: properties.correlationId,
    replyTo: properties.replyTo,
    timestamp: secondsOf(properties),
    type: properties.type,
    appId: properties.appId,
  };
}

export function toWireMessage({ properties, content }: AmqpMessage): WireMessage {
  const seconds = secondsOf(properties);
  return {
    messageId: properties.messageId ?? randomUUID(),
    type: properties.type,
    correlationId: properties.correlationId,
    replyTo: properties.replyTo,
    contentType: properties.contentType ?? "application/octet-stream",
    headers: fromTable(properties.headers),
    // A plain view: what Buffer redefines (slice, toString) must not depend on the adapter.
    body: new Uint8Array(content.buffer, content.byteOffset, content.byteLength),
    timestamp: seconds === undefined ? Date.now() : seconds * 1000,
    expiresInMs: properties.expiration === undefined ? undefined : Number(properties.expiration),
    persistent: properties.deliveryMode === 2,
  };
}

/** The same bytes, not a copy. */
export function toBuffer(body: Uint8Array): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

/** Since the epoch. What no clock shows is left out: the wire has times up to 2^64, and amqplib writes none that is not exact. */
function secondsOf({ timestamp }: AmqpProperties): number | undefined {
  return timestamp !== undefined && timestamp <= LATEST_SECONDS ? timestamp : undefined;
}

/** In milliseconds since the epoch. A foreign message carries its expiry as a span only: it starts anew. */
function expiresAtOf({ headers, expiration }: AmqpProperties): number | undefined {
  const value = headers?.[EXPIRES_AT_HEADER];
  if (typeof value === "number") return value;
  return expiration === undefined ? undefined : Date.now() + Number(expiration);
}

/** Undefined when the broker takes no such number; the header alone counts then. */
function toExpiration(ms: number): string | undefined {
  return ms > MAX_EXPIRATION_MS ? undefined : String(Math.max(0, Math.ceil(ms)));
}
