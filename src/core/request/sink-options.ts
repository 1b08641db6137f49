import type { Capabilities } from "../../ports/capabilities.js";
import type { Codec } from "../../ports/codec.js";
import type { Priority } from "../../ports/message.js";
import type { ProtocolVersion, RequestSinkOptions, ServeOptions } from "../../ports/request-sink.js";
import { bytesCodec } from "../codec.js";
import { invalid, isCount, unknownKeys } from "../options.js";
import { codecList } from "./body-codecs.js";

const FRAGMENT_BYTES = 100_000;
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_RETAINED_BYTES = 256 * 1024 * 1024;
const CONCURRENCY: Readonly<Record<Priority, number>> = { expedite: 2, standard: 5, bulk: 5 };

const SINK_KEYS: ReadonlySet<string> = new Set<keyof RequestSinkOptions<unknown, unknown>>([
  "codec",
  "responseCodec",
  "protocolVersion",
  "fragmentBytes",
  "maxResponseBytes",
]);
const SERVE_KEYS: ReadonlySet<string> = new Set<keyof ServeOptions<unknown, unknown>>([
  "codec",
  "responseCodec",
  "concurrency",
  "protocolVersion",
  "keepAliveMs",
  "respondExtendsMs",
  "stallMs",
  "fragmentBytes",
  "maxRequestBytes",
  "maxUploads",
  "resumeMs",
  "maxRetainedBytes",
  "settleAfterMs",
  "errorStacks",
  "signal",
]);

export interface ResolvedSinkOptions {
  readonly codec: Codec<unknown>;
  readonly responseCodecs: readonly Codec<unknown>[];
  readonly protocolVersion: ProtocolVersion | "auto";
  readonly fragmentBytes: number;
  readonly maxResponseBytes: number;
  /** The largest body that the broker takes in one message. */
  readonly maxMessageBytes: number;
  /** Whether the broker drops a request whose time is over. */
  readonly canExpire: boolean;
}

export interface ResolvedServeOptions {
  readonly codecs: readonly Codec<unknown>[];
  readonly responseCodec: Codec<unknown>;
  readonly concurrency: Readonly<Record<Priority, number>>;
  readonly protocolVersion: ProtocolVersion;
  readonly keepAliveMs: number;
  readonly respondExtendsMs: number;
  readonly stallMs: number;
  readonly fragmentBytes: number;
  readonly maxRequestBytes: number;
  readonly maxUploads: number;
  readonly resumeMs: number;
  readonly maxRetainedBytes: number;
  readonly settleAfterMs: number;
  readonly errorStacks: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Throws `INVALID_ARGUMENT` that names every fault. */
export function resolveSinkOptions<Req, Res>(
  raw: RequestSinkOptions<Req, Res>,
  { queue, maxMessageBytes }: Capabilities,
): ResolvedSinkOptions {
  const faults = unknownKeys(raw, SINK_KEYS);
  const { codec, responseCodec, protocolVersion = "auto" } = raw;
  const { fragmentBytes = FRAGMENT_BYTES, maxResponseBytes = MAX_BODY_BYTES } = raw;
  if (!["auto", "V4", "V5"].includes(protocolVersion)) faults.push("protocolVersion must be V4, V5 or auto");
  checkCounts(faults, { fragmentBytes, maxResponseBytes });
  if (faults.length > 0) throw invalid(faults.map((fault) => `requestSink: ${fault}`));
  const requests = (codec ?? bytesCodec) as Codec<unknown>;
  return {
    codec: requests,
    responseCodecs: codecList<unknown>(responseCodec as Codec<unknown> | undefined, requests),
    protocolVersion,
    fragmentBytes: Math.min(fragmentBytes, maxMessageBytes),
    maxResponseBytes,
    maxMessageBytes,
    canExpire: queue.expiry,
  };
}

/** Throws `INVALID_ARGUMENT` that names every fault. */
export function resolveServeOptions<Req, Res>(
  raw: ServeOptions<Req, Res>,
  { queue, maxMessageBytes }: Capabilities,
): ResolvedServeOptions {
  const faults = unknownKeys(raw, SERVE_KEYS);
  const { codec, responseCodec, protocolVersion = "V5", errorStacks = false, signal } = raw;
  const { keepAliveMs = 1_000, respondExtendsMs = 10_000, stallMs = 300_000, settleAfterMs = 600_000 } = raw;
  const { fragmentBytes = FRAGMENT_BYTES, maxRequestBytes = MAX_BODY_BYTES, maxUploads = 16 } = raw;
  const { resumeMs = 10_000, maxRetainedBytes = MAX_RETAINED_BYTES } = raw;
  if (!["V4", "V5"].includes(protocolVersion)) faults.push("protocolVersion must be V4 or V5");
  checkCounts(faults, { fragmentBytes, maxRequestBytes, maxUploads, keepAliveMs });
  if (!isCount(maxRetainedBytes, 0)) faults.push("maxRetainedBytes must be a whole number ≥ 0");
  for (const [name, value] of Object.entries({ respondExtendsMs, stallMs, settleAfterMs, resumeMs })) {
    if (!(Number.isFinite(value) && value >= 0)) faults.push(`${name} must be a number ≥ 0, in milliseconds`);
  }
  const concurrency = resolveConcurrency(raw.concurrency, faults);
  if (faults.length > 0) throw invalid(faults.map((fault) => `serve: ${fault}`));
  const codecs = codecList<unknown>(codec as Codec<unknown> | undefined, bytesCodec as Codec<unknown>);
  return {
    codecs,
    responseCodec: (responseCodec ?? codecs[0] ?? bytesCodec) as Codec<unknown>,
    concurrency,
    protocolVersion,
    keepAliveMs,
    respondExtendsMs,
    stallMs,
    fragmentBytes: Math.min(fragmentBytes, maxMessageBytes),
    maxRequestBytes,
    maxUploads,
    resumeMs,
    maxRetainedBytes,
    // Before the broker takes the request back, and with it those of all calls that run.
    settleAfterMs: Math.min(settleAfterMs, 0.8 * (queue.holdMs ?? Number.POSITIVE_INFINITY)),
    errorStacks,
    signal,
  };
}

function resolveConcurrency(
  raw: ServeOptions<unknown, unknown>["concurrency"],
  faults: string[],
): Readonly<Record<Priority, number>> {
  const concurrency = { ...CONCURRENCY, ...raw };
  for (const [lane, count] of Object.entries(concurrency)) {
    if (!Object.hasOwn(CONCURRENCY, lane))
      faults.push(`concurrency.${lane}: the lanes are expedite, standard and bulk`);
    else if (!isCount(count, 1)) faults.push(`concurrency.${lane} must be a whole number ≥ 1`);
  }
  return concurrency;
}

function checkCounts(faults: string[], counts: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(counts)) {
    if (!isCount(value, 1)) faults.push(`${name} must be a whole number ≥ 1`);
  }
}
