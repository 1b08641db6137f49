import type { Priority } from "../../ports/message.js";
import type { CallOptions } from "../../ports/request-sink.js";
import { invalid, isCount, unknownKeys } from "../options.js";

/** The most responses that a server may be ahead of what was taken. */
export const MAX_WINDOW = 2_048;
const DEFAULT_WINDOW = 512;
export const DEFAULT_WINDOW_BYTES = 8 * 1024 * 1024;
/** A thousand years. */
const MAX_TIMEOUT_MS = 31_557_600_000_000;
/** How far a response, or a piece of a body, moves the deadline. */
export const RESPONSE_EXTENDS_MS = 10_000;
const DEFAULT_STALL_MS = 300_000;

const KEYS: ReadonlySet<string> = new Set<keyof CallOptions>([
  "timeoutMs",
  "allowKeepAlive",
  "window",
  "windowBytes",
  "stallMs",
  "respondExtendsMs",
  "priority",
  "idempotent",
  "signal",
]);
const PRIORITIES: ReadonlySet<unknown> = new Set(["bulk", "standard", "expedite"]);

export interface ResolvedCallOptions {
  readonly timeoutMs: number;
  readonly allowKeepAlive: boolean;
  readonly window: number;
  readonly windowBytes: number;
  readonly stallMs: number;
  readonly respondExtendsMs: number;
  readonly priority: Priority;
  readonly idempotent: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Throws `INVALID_ARGUMENT` that names every fault. */
export function resolveCallOptions(raw: CallOptions): ResolvedCallOptions {
  if (typeof raw !== "object" || raw === null) throw invalid(["call: the third argument must be { timeoutMs, … }"]);
  const faults = unknownKeys(raw, KEYS);
  const { timeoutMs, allowKeepAlive = true, window = DEFAULT_WINDOW, windowBytes = DEFAULT_WINDOW_BYTES } = raw;
  const {
    stallMs = DEFAULT_STALL_MS,
    respondExtendsMs = RESPONSE_EXTENDS_MS,
    priority = "standard",
    idempotent = false,
    signal,
  } = raw;
  if (!(timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS)) {
    faults.push(`timeoutMs must be a number > 0, in milliseconds, at most ${MAX_TIMEOUT_MS}`);
  }
  if (!isCount(window, 1) || window > MAX_WINDOW) faults.push(`window must be a whole number from 1 to ${MAX_WINDOW}`);
  if (!isCount(windowBytes, 1)) faults.push("windowBytes must be a whole number ≥ 1");
  if (!isSpan(stallMs)) faults.push("stallMs must be a number ≥ 0, in milliseconds");
  if (!isSpan(respondExtendsMs)) faults.push("respondExtendsMs must be a number ≥ 0, in milliseconds");
  if (!PRIORITIES.has(priority)) faults.push("priority must be bulk, standard or expedite");
  if (typeof allowKeepAlive !== "boolean") faults.push("allowKeepAlive must be true or false");
  if (typeof idempotent !== "boolean") faults.push("idempotent must be true or false");
  if (signal !== undefined && !(signal instanceof AbortSignal)) faults.push("signal must be an AbortSignal");
  if (faults.length > 0) throw invalid(faults.map((fault) => `call: ${fault}`));
  return { timeoutMs, allowKeepAlive, window, windowBytes, stallMs, respondExtendsMs, priority, idempotent, signal };
}

function isSpan(ms: number): boolean {
  return Number.isFinite(ms) && ms >= 0;
}
