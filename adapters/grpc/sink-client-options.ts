import { MessagingError } from "../../src/errors/messaging-error.js";
import type { RequestSinkOptions } from "../../src/ports/request-sink.js";
import { type ClientSecurity, type ClientSecurityOptions, resolveClientSecurity } from "./security/client-security.js";

export interface SinkClientOptions extends ClientSecurityOptions {
  /** `host:port` of a server, an IPv6 host in brackets. Required. */
  readonly address: string;
  /** A larger response fails its call with `TOO_LARGE`. Default 67,108,864 (64 MiB). */
  readonly maxResponseBytes?: number | undefined;
  /** A server that is silent for so long is pinged, in milliseconds. Default 10,000. */
  readonly keepaliveTimeMs?: number | undefined;
  /** A ping that is not answered within this time ends the connection, in milliseconds. Default 3,000. */
  readonly keepaliveTimeoutMs?: number | undefined;
}

/** Of one sink: as over a broker, without what belongs to a broker's frames. `maxResponseBytes` overrides the client's. */
export type ClientSinkOptions<Req, Res> = Pick<
  RequestSinkOptions<Req, Res>,
  "codec" | "responseCodec" | "maxResponseBytes"
>;

export type ResolvedSinkClientOptions = Readonly<
  Required<Record<Exclude<keyof SinkClientOptions, "address" | keyof ClientSecurityOptions>, number>>
> & {
  readonly address: string;
  readonly security: ClientSecurity;
};

const KEYS: Readonly<Record<keyof SinkClientOptions, true>> = {
  address: true,
  maxResponseBytes: true,
  keepaliveTimeMs: true,
  keepaliveTimeoutMs: true,
  tls: true,
  token: true,
  plaintextToken: true,
};
const SINK_KEYS: Readonly<Record<keyof ClientSinkOptions<unknown, unknown>, true>> = {
  codec: true,
  responseCodec: true,
  maxResponseBytes: true,
};

const ADDRESS = /^(?:\[[0-9a-f:.]+\]|[^\s:[\]/@]+):\d{1,5}$/i;
const DEFAULT_RESPONSE_BYTES = 67_108_864;
const DAY_MS = 86_400_000;
const GIBIBYTE = 1_073_741_824;

/** Fills in the defaults. Throws `INVALID_ARGUMENT` that names all faults, unknown keys among them. The result is frozen. */
export function resolveSinkClientOptions(raw: SinkClientOptions): ResolvedSinkClientOptions {
  if (typeof raw !== "object" || raw === null) throw invalid(["the options must be { address, … }"]);
  const faults = unknownKeys(raw, KEYS);
  const { address } = raw;
  if (typeof address !== "string" || !ADDRESS.test(address) || Number(address.split(":").at(-1)) > 65_535) {
    faults.push("address must be host:port, for example 127.0.0.1:10001 or [::1]:10001");
  }
  const options = {
    address,
    security: resolveClientSecurity(raw, typeof address === "string" ? [address] : [], faults),
    maxResponseBytes: number("maxResponseBytes", raw.maxResponseBytes, DEFAULT_RESPONSE_BYTES, [1, GIBIBYTE], faults),
    keepaliveTimeMs: number("keepaliveTimeMs", raw.keepaliveTimeMs, 10_000, [100, DAY_MS], faults),
    keepaliveTimeoutMs: number("keepaliveTimeoutMs", raw.keepaliveTimeoutMs, 3_000, [100, DAY_MS], faults),
  };
  if (faults.length > 0) throw invalid(faults);
  return Object.freeze(options);
}

/** Throws `INVALID_ARGUMENT` as `resolveSinkClientOptions` does. The largest response that is taken. */
export function resolveMaxResponseBytes<Req, Res>(raw: ClientSinkOptions<Req, Res>, byDefault: number): number {
  const faults = unknownKeys(raw, SINK_KEYS);
  const bytes = number("maxResponseBytes", raw.maxResponseBytes, byDefault, [1, GIBIBYTE], faults);
  if (faults.length > 0) throw invalid(faults);
  return bytes;
}

function number(
  name: string,
  value: number | undefined,
  byDefault: number,
  [least, most]: readonly [number, number],
  faults: string[],
): number {
  const chosen: unknown = value ?? byDefault;
  if (typeof chosen === "number" && Number.isInteger(chosen) && chosen >= least && chosen <= most) return chosen;
  faults.push(`${name} must be a whole number from ${least} to ${most}`);
  return byDefault;
}

function unknownKeys(raw: object, known: object): string[] {
  return Object.keys(raw)
    .filter((key) => !(key in known))
    .map((key) => `unknown option ${key}; known are ${Object.keys(known).join(", ")}`);
}

function invalid(faults: readonly string[]): MessagingError {
  return new MessagingError("INVALID_ARGUMENT", `sink client: ${faults.join("; ")}`);
}
