import { constants, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import { addressKey } from "./address-key.js";
import { type Rate, TokenBucket } from "./token-bucket.js";

/** Node's own HTTP/2 stops reading, but keeps the connection, beyond 1,000 and 33 a second: this comes first. */
const RESETS: Rate = { perSecond: 30, burst: 900 };
/** Calls that are refused, of rpcs that there are not among them. */
const REFUSALS: Rate = { perSecond: 100, burst: 1_000 };
const PINGS: Rate = { perSecond: 1_000, burst: 5_000 };
const SETTINGS: Rate = { perSecond: 20, burst: 200 };
/** Bytes that carried nothing: neither data nor the headers of a call that was taken. */
const IDLE_BYTES: Rate = { perSecond: 524_288, burst: 1_048_576 };
/** Data of calls that were answered before it came. It is dropped: a client that had begun to send may end. */
const LATE_BYTES: Rate = { perSecond: 16_777_216, burst: 67_108_864 };
/** Small pieces of messages: each costs as much as a large one. */
const CRUMBS: Rate = { perSecond: 200, burst: 2_000 };

const PING_BYTES = 17;
const SETTINGS_BYTES = 9;
/** The frames of a call beside its headers and its data. */
const CALL_BYTES = 256;
/** What a client may have sent for a call before it can know that it is over: the window of a stream. */
const UNREAD_BYTES = 65_536;

/** One connection: what it does that costs us and gains nothing, in what there is of it in a second. */
export class SessionWatch {
  readonly session: ServerHttp2Session;
  /** Address and port. */
  readonly peer: string;
  /** By which limits are counted. */
  readonly address: string;
  readonly #socket: Socket;
  readonly #onAbuse: (reason: string) => void;
  readonly #resets: TokenBucket;
  readonly #refusals: TokenBucket;
  readonly #pings: TokenBucket;
  readonly #settings: TokenBucket;
  readonly #idleBytes: TokenBucket;
  readonly #lateBytes: TokenBucket;
  readonly #crumbs: TokenBucket;
  #readBytes: number;
  #writtenBytes: number;
  /** Of what was read, what there was a use for. */
  #usefulBytes = 0;
  /** Of what was written, what was not answered by us but by the protocol. */
  #echoedBytes = 0;

  constructor(session: ServerHttp2Session, now: number, onAbuse: (reason: string) => void) {
    this.session = session;
    this.#socket = session.socket as Socket;
    const { remoteAddress, remotePort } = this.#socket;
    this.address = addressKey(remoteAddress);
    this.peer = `${remoteAddress}:${remotePort}`;
    this.#onAbuse = onAbuse;
    this.#resets = new TokenBucket(RESETS, now);
    this.#refusals = new TokenBucket(REFUSALS, now);
    this.#pings = new TokenBucket(PINGS, now);
    this.#settings = new TokenBucket(SETTINGS, now);
    this.#idleBytes = new TokenBucket(IDLE_BYTES, now);
    this.#lateBytes = new TokenBucket(LATE_BYTES, now);
    this.#crumbs = new TokenBucket(CRUMBS, now);
    this.#readBytes = this.#socket.bytesRead;
    this.#writtenBytes = this.#socket.bytesWritten;
  }

  ping(now: number): void {
    this.#echoedBytes += PING_BYTES;
    if (this.#pings.take(now) > 0) this.#onAbuse("a flood of pings");
  }

  settings(now: number): void {
    this.#echoedBytes += SETTINGS_BYTES;
    if (this.#settings.take(now) > 0) this.#onAbuse("a flood of settings");
  }

  /** A call came that was taken. */
  call(headers: readonly string[]): void {
    let bytes = CALL_BYTES;
    for (const text of headers) bytes += text.length;
    this.#usefulBytes += bytes;
  }

  refused(now: number): void {
    this.#usefulBytes += UNREAD_BYTES;
    if (this.#refusals.take(now) > 0) this.#onAbuse("a flood of calls that are refused");
  }

  /** A call is over before all of it came. */
  cutShort(): void {
    this.#usefulBytes += UNREAD_BYTES;
  }

  reset(now: number): void {
    if (this.#resets.take(now) > 0) this.#onAbuse("a flood of calls that are reset");
  }

  /** Twice: frames as small as a small message are no abuse. */
  data(bytes: number): void {
    this.#usefulBytes += 2 * bytes;
  }

  /** Data of a call that was answered. False: it is too much of it, and of no use. */
  lateData(now: number, bytes: number): boolean {
    if (this.#lateBytes.take(now, bytes) > 0) return false;
    this.data(bytes);
    return true;
  }

  /** A few bytes came that neither ended a message nor were much of one. */
  crumb(now: number): void {
    if (this.#crumbs.take(now) > 0) this.#onAbuse("a flood of messages in crumbs");
  }

  /** To be called several times a second. */
  check(now: number): void {
    // From then on it has no socket, although it may take a while to close.
    if (this.session.destroyed) return;
    const { bytesRead, bytesWritten } = this.#socket;
    // Whoever reads a lot has windows to open.
    const answeredBytes = Math.max(0, bytesWritten - this.#writtenBytes - this.#echoedBytes);
    const idleBytes = bytesRead - this.#readBytes - this.#usefulBytes - answeredBytes;
    this.#readBytes = bytesRead;
    this.#writtenBytes = bytesWritten;
    this.#usefulBytes = 0;
    this.#echoedBytes = 0;
    if (this.#idleBytes.take(now, Math.max(0, idleBytes)) > 0) this.#onAbuse("a flood of frames that carry nothing");
  }

  /** Says goodbye, and cuts the connection with all that is on it. */
  end(reason: string): void {
    if (this.session.destroyed) return;
    this.session.destroy(new MessagingError("REJECTED", reason), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}
