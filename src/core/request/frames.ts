import type { WireMessage } from "../../driver/driver.js";
import { FRAME, FRAME_HEADER } from "../../driver/request-frames.js";
import { type ErrorCode, MessagingError } from "../../errors/messaging-error.js";
import type { MessageHeaders } from "../../ports/message.js";
import { parseJson } from "../../util/parse-json.js";

export interface FrameParts {
  /** Default: the correlation id. */
  readonly messageId?: string | undefined;
  readonly type: string;
  /** The call; of an Alive the inbox, of a Probe its number. */
  readonly correlationId: string;
  readonly headers: MessageHeaders;
  readonly replyTo?: string | undefined;
  readonly contentType?: string | undefined;
  readonly body?: Uint8Array | undefined;
  readonly timestamp: number;
  readonly expiresInMs?: number | undefined;
}

const NO_BODY = new Uint8Array(0);
const BYTES = "application/octet-stream";
const JSON_TYPE = "application/json";
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Frames are transient; their call names them, no id of their own, but for an Alive. */
export function toFrame({
  messageId,
  type,
  correlationId,
  headers,
  replyTo,
  contentType,
  body,
  timestamp,
  expiresInMs,
}: FrameParts): WireMessage {
  return {
    messageId: messageId ?? correlationId,
    type,
    correlationId,
    replyTo,
    contentType: contentType ?? BYTES,
    headers,
    body: body ?? NO_BODY,
    timestamp,
    expiresInMs,
    persistent: false,
  };
}

/** A whole number from `least` to `most` in a header; undefined if it is absent or anything else. */
export function numberIn(
  headers: MessageHeaders,
  name: string,
  least = 0,
  most = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const text = headers[name];
  if (text === undefined || text.length === 0 || text.length > MAX_DIGITS) return undefined;
  let value = 0;
  for (let index = 0; index < text.length; index += 1) {
    const digit = text.charCodeAt(index) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return undefined;
    value = value * 10 + digit;
  }
  return value >= least && value <= most ? value : undefined;
}

const MAX_DIGITS = 16;
const ZERO = 0x30;

/** Of an error's text and stack, so that it fits into a frame of any broker. */
const MAX_TEXT = 8_192;

/** How a call ended, in the body of an Error frame. */
export function encodeError(error: MessagingError, withStack: boolean): Uint8Array {
  const { code } = error;
  const message = error.message.slice(0, MAX_TEXT);
  const stack = error.stack?.slice(0, MAX_TEXT);
  return encoder.encode(JSON.stringify(withStack ? { code, message, stack } : { code, message }));
}

/** What an Error frame says. One that cannot be read is an error all the same. */
export function decodeError(frame: WireMessage): MessagingError {
  let code: unknown;
  let message: unknown;
  let stack: unknown;
  try {
    ({ code, message, stack } = parseJson(decoder.decode(frame.body)) as Record<string, unknown>);
  } catch (cause) {
    return new MessagingError("REMOTE", "the server reported an error that cannot be read", { cause });
  }
  const text = typeof message === "string" ? message : "the server reported an error without a text";
  const remote = typeof stack === "string" ? new Error(text) : undefined;
  if (remote !== undefined && typeof stack === "string") remote.stack = stack;
  return new MessagingError(isCode(code) ? code : "REMOTE", text, { cause: remote });
}

function isCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && MessagingError.isCode(value);
}

/** One call in an Alive frame. */
export interface AliveEntry {
  readonly id: string;
  /** The highest sequence that was sent whole. */
  readonly sequence: number;
  /** It waits for credit. */
  readonly isBlocked: boolean;
  /**
   * Its End or Error has been sent to this inbox, and is kept until it is known to have come. On the wire a fourth place,
   * `true`, which is absent otherwise.
   */
  readonly isOver: boolean;
}

export interface Alive {
  readonly intervalMs: number;
  readonly calls: readonly AliveEntry[];
}

export function encodeAlive({ intervalMs, calls }: Alive): Uint8Array {
  const list = calls.map(({ id, sequence, isBlocked, isOver }) =>
    isOver ? [id, sequence, isBlocked, true] : [id, sequence, isBlocked],
  );
  return encoder.encode(JSON.stringify({ intervalMs, calls: list }));
}

/** Undefined for what is no Alive. */
export function decodeAlive(body: Uint8Array): Alive | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(decoder.decode(body));
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null) return undefined;
  const { intervalMs, calls } = parsed as Record<string, unknown>;
  if (typeof intervalMs !== "number" || !(intervalMs >= 1) || !Array.isArray(calls)) return undefined;
  const entries: AliveEntry[] = [];
  for (const call of calls as unknown[]) {
    if (!Array.isArray(call)) return undefined;
    const [id, sequence, isBlocked, isOver] = call as unknown[];
    if (typeof id !== "string" || !Number.isSafeInteger(sequence) || typeof isBlocked !== "boolean") return undefined;
    entries.push({ id, sequence: sequence as number, isBlocked, isOver: isOver === true });
  }
  return { intervalMs, calls: entries };
}

/** The calls whose end has come, in the body of a Credit that is marked so. */
export function encodeClosing(ids: readonly string[]): Uint8Array {
  return encoder.encode(JSON.stringify(ids));
}

/** Undefined for what is none. */
export function decodeClosing(body: Uint8Array): readonly string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(decoder.decode(body));
    if (!Array.isArray(parsed)) return undefined;
    return (parsed as unknown[]).filter((id): id is string => typeof id === "string");
  } catch {
    return undefined;
  }
}

export { FRAME, FRAME_HEADER, JSON_TYPE };
