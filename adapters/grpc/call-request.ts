import { RESERVED_PREFIX } from "../../src/driver/index.js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { MessageHeaders, Priority } from "../../src/ports/message.js";
import type { Request__Output } from "./gen/fairlead/v1/Request.js";
import type { SignalRequest__Output } from "./gen/fairlead/v1/SignalRequest.js";

/** A year. */
export const MAX_TIMEOUT_MS = 31_536_000_000;
const MAX_WINDOW = 2_048;
const DEFAULT_WINDOW = 512;
const DEFAULT_WINDOW_BYTES = 8_388_608;
const MAX_WINDOW_BYTES = 67_108_864;
/** There is no credit on Signal; this is what may be on its way to the gateway from a service behind it. */
const SIGNAL_WINDOW_BYTES = 1_048_576;
const MAX_CALL_ID_BYTES = 255;
const MAX_HEADER_NAME_BYTES = 255;
export const BYTES_TYPE = "application/octet-stream";

/** What a client asks for, checked; its body comes apart. */
export interface CallRequest {
  readonly sink: string;
  /** "": none. */
  readonly callId: string;
  readonly contentType: string;
  readonly headers: MessageHeaders;
  readonly priority: Priority;
  readonly idempotent: boolean;
  /** Undefined: when it arrived. */
  readonly timestamp: number | undefined;
  /** Undefined: at the deadline of the rpc. */
  readonly timeoutMs: number | undefined;
  readonly allowKeepAlive: boolean;
  /** 0: one-way. */
  readonly window: number;
  readonly windowBytes: number;
}

const PRIORITIES: Readonly<Record<string, Priority>> = {
  PRIORITY_UNSPECIFIED: "standard",
  PRIORITY_BULK: "bulk",
  PRIORITY_STANDARD: "standard",
  PRIORITY_EXPEDITE: "expedite",
};

/** Throws `INVALID_ARGUMENT` that names all faults at once. */
export function readRequest(raw: Request__Output, hasDeadline: boolean): CallRequest {
  const faults: string[] = [];
  const windowBytes = wholeNumber("window_bytes", raw.windowBytes, Number.MAX_SAFE_INTEGER, faults);
  const request = {
    ...readCommon(raw, hasDeadline, faults),
    window: raw.oneWay ? 0 : Math.min(raw.window || DEFAULT_WINDOW, MAX_WINDOW),
    windowBytes: Math.min(windowBytes || DEFAULT_WINDOW_BYTES, MAX_WINDOW_BYTES),
  };
  refuseIf(faults);
  return request;
}

export function readSignalRequest(raw: SignalRequest__Output, hasDeadline: boolean): CallRequest {
  const faults: string[] = [];
  const common = readCommon(raw, hasDeadline, faults);
  refuseIf(faults);
  return { ...common, window: DEFAULT_WINDOW, windowBytes: SIGNAL_WINDOW_BYTES };
}

/** How long the body is to be. Throws `INVALID_ARGUMENT`, and `TOO_LARGE` before any memory is spent. */
export function readBodyBytes({ body, bodyBytes }: Request__Output, maxBytes: number): number {
  const faults: string[] = [];
  const declared = wholeNumber("body_bytes", bodyBytes, Number.MAX_SAFE_INTEGER, faults) || body.byteLength;
  if (declared < body.byteLength) {
    faults.push(`body_bytes is ${declared}, but body alone has ${body.byteLength}`);
  }
  refuseIf(faults);
  if (declared > maxBytes) {
    throw new MessagingError("TOO_LARGE", `the request has ${declared} bytes; at most ${maxBytes} are taken`);
  }
  return declared;
}

/** Decimal text, since a `number` would round. Adds a fault for what is more than `most`. */
export function wholeNumber(name: string, text: string, most: number, faults: string[]): number {
  const value = BigInt(text);
  if (value <= BigInt(most)) return Number(value);
  faults.push(`${name} is ${text}; at most ${most} is allowed`);
  return 0;
}

function readCommon(
  raw: Request__Output | SignalRequest__Output,
  hasDeadline: boolean,
  faults: string[],
): Omit<CallRequest, "window" | "windowBytes"> {
  const priority = PRIORITIES[raw.priority];
  if (priority === undefined) faults.push(`priority ${raw.priority} is unknown; known are BULK, STANDARD and EXPEDITE`);
  if (Buffer.byteLength(raw.callId) > MAX_CALL_ID_BYTES) {
    faults.push(
      `call_id has ${Buffer.byteLength(raw.callId)} bytes of UTF-8; at most ${MAX_CALL_ID_BYTES} are allowed`,
    );
  }
  const timeoutMs = wholeNumber("timeout_ms", raw.timeoutMs, MAX_TIMEOUT_MS, faults);
  if (raw.timeoutMs === "0" && !hasDeadline) faults.push("timeout_ms is 0, and the rpc has no deadline: set either");
  const timestamp = wholeNumber("timestamp_ms", raw.timestampMs, Number.MAX_SAFE_INTEGER, faults);
  checkHeaders(raw.headers, faults);
  return {
    sink: raw.sink,
    callId: raw.callId,
    contentType: raw.contentType || BYTES_TYPE,
    headers: raw.headers,
    priority: priority ?? "standard",
    idempotent: raw.idempotent,
    timestamp: timestamp || undefined,
    timeoutMs: timeoutMs || undefined,
    allowKeepAlive: raw.allowKeepAlive ?? true,
  };
}

function checkHeaders(headers: MessageHeaders, faults: string[]): void {
  for (const name of Object.keys(headers)) {
    if (name === "") faults.push("a header has an empty name");
    if (name.startsWith(RESERVED_PREFIX))
      faults.push(`header ${name}: the prefix ${RESERVED_PREFIX} is reserved; rename it`);
    if (Buffer.byteLength(name) > MAX_HEADER_NAME_BYTES) {
      faults.push(`header ${name.slice(0, 40)}…: a name takes at most ${MAX_HEADER_NAME_BYTES} bytes`);
    }
  }
}

function refuseIf(faults: readonly string[]): void {
  if (faults.length > 0) throw new MessagingError("INVALID_ARGUMENT", faults.join("; "));
}
