import { MessagingError } from "../../src/errors/messaging-error.js";

export interface GrpcOptions {
  /** `host:port`, an IPv6 host in brackets; port 0 = any free one. Default `"127.0.0.1:10001"`. */
  readonly listen?: string | undefined;
  /** A client that is silent for so long is pinged, in milliseconds. Default 10,000. */
  readonly keepaliveTimeMs?: number | undefined;
  /** A ping that is not answered within this time ends the connection, in milliseconds. Default 3,000. */
  readonly keepaliveTimeoutMs?: number | undefined;
  /**
   * Of one message. Default 4 MiB, or what the largest event needs if that is more. Never less than a part of a request to a
   * sink needs, about 320 KiB, where sinks are served.
   */
  readonly maxReceiveBytes?: number | undefined;
  /** Calls of every kind at once on one connection; further ones wait at the client. Default 2,000. */
  readonly maxStreamsPerConnection?: number | undefined;
  /** Connections at once; further ones are dropped. Default 10,000. */
  readonly maxConnections?: number | undefined;
  /**
   * How long a subscribe that must be refused is left waiting first, in milliseconds: clients that subscribe again at once
   * would do it thousands of times a second. Default 1,000.
   */
  readonly refusalDelayMs?: number | undefined;
  /** Of the body of a call's request, which may come in parts. Default 64 MiB. */
  readonly maxRequestBytes?: number | undefined;
  /** Of all requests together that are still coming in parts. Default 256 MiB. */
  readonly maxUploadBytes?: number | undefined;
  /** Calls to sinks at once on one connection; further ones are refused with RESOURCE_EXHAUSTED. Default 1,000. */
  readonly maxCallsPerClient?: number | undefined;
  /** How long connections may take to end once everything is drained, in milliseconds. Default 1,000. */
  readonly shutdownGraceMs?: number | undefined;
}

type Numbers = Exclude<keyof GrpcOptions, "listen" | "maxReceiveBytes">;

export interface ResolvedGrpcOptions extends Readonly<Record<Numbers, number>> {
  readonly listen: ListenAddress;
  /** Undefined: follows from the largest event. */
  readonly maxReceiveBytes: number | undefined;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

const KEYS: Readonly<Record<keyof GrpcOptions, true>> = {
  listen: true,
  keepaliveTimeMs: true,
  keepaliveTimeoutMs: true,
  maxReceiveBytes: true,
  maxStreamsPerConnection: true,
  maxConnections: true,
  refusalDelayMs: true,
  maxRequestBytes: true,
  maxUploadBytes: true,
  maxCallsPerClient: true,
  shutdownGraceMs: true,
};

const DEFAULT_LISTEN = "127.0.0.1:10001";
const ADDRESS = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]/@]+)):(\d{1,5})$/i;
const DAY_MS = 86_400_000;
const MEBIBYTE = 1_048_576;
const GIBIBYTE = 1_073_741_824;

/** Fills in the defaults. Throws `INVALID_ARGUMENT` that names all faults, unknown keys among them. The result is frozen. */
export function resolveGrpcOptions(raw: GrpcOptions): ResolvedGrpcOptions {
  const faults = Object.keys(raw)
    .filter((key) => !(key in KEYS))
    .map((key) => `unknown option ${key}; known are ${Object.keys(KEYS).join(", ")}`);
  const number = (
    name: Exclude<keyof GrpcOptions, "listen">,
    byDefault: number,
    least: number,
    most: number,
  ): number => {
    const value: unknown = raw[name] ?? byDefault;
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    faults.push(`${name} must be a whole number from ${least} to ${most}`);
    return byDefault;
  };
  const options = {
    listen: parseAddress(raw.listen ?? DEFAULT_LISTEN, faults),
    keepaliveTimeMs: number("keepaliveTimeMs", 10_000, 100, DAY_MS),
    keepaliveTimeoutMs: number("keepaliveTimeoutMs", 3_000, 100, DAY_MS),
    maxReceiveBytes: raw.maxReceiveBytes === undefined ? undefined : number("maxReceiveBytes", 0, 1_024, GIBIBYTE),
    maxStreamsPerConnection: number("maxStreamsPerConnection", 2_000, 1, 1_000_000),
    maxConnections: number("maxConnections", 10_000, 1, 1_000_000),
    refusalDelayMs: number("refusalDelayMs", 1_000, 0, DAY_MS),
    maxRequestBytes: number("maxRequestBytes", 64 * MEBIBYTE, 1, GIBIBYTE),
    maxUploadBytes: number("maxUploadBytes", 256 * MEBIBYTE, 1, 64 * GIBIBYTE),
    maxCallsPerClient: number("maxCallsPerClient", 1_000, 1, 1_000_000),
    shutdownGraceMs: number("shutdownGraceMs", 1_000, 0, DAY_MS),
  };
  if (faults.length > 0) throw new MessagingError("INVALID_ARGUMENT", `grpc: ${faults.join("; ")}`);
  return Object.freeze(options);
}

function parseAddress(text: unknown, faults: string[]): ListenAddress {
  const [, ipv6, name, port] = (typeof text === "string" ? ADDRESS.exec(text) : undefined) ?? [];
  const host = ipv6 ?? name;
  if (host === undefined || Number(port) > 65_535) {
    faults.push("listen must be host:port, for example 127.0.0.1:10001 or [::1]:10001, with a port from 0 to 65535");
    return { host: "", port: 0 };
  }
  return { host, port: Number(port) };
}
