import { MessagingError } from "../../src/errors/messaging-error.js";
import {
  type GrpcSecurityOptions,
  literalAddressFault,
  type ResolvedGrpcSecurity,
  resolveSecurity,
} from "./security/resolve-security.js";

export interface GrpcOptions extends GrpcSecurityOptions {
  /**
   * `host:port`, an IPv6 host in brackets; port 0 = any free one. An address that others reach needs `tls` and `tokens`, or
   * `tls` with a `clientCa`, or `insecure`. Default `"127.0.0.1:10001"`.
   */
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
  /** Of those, from one address (IPv6: one /64 network); further ones are dropped. Default `maxConnections`. */
  readonly maxConnectionsPerAddress?: number | undefined;
  /** A connection on which no HTTP/2 has come after this time, TLS included, is cut, in milliseconds. Default 10,000. */
  readonly handshakeTimeoutMs?: number | undefined;
  /**
   * Of the metadata of one call, as HTTP/2 counts it: names, values and 32 bytes for each. A call with more is refused with
   * RESOURCE_EXHAUSTED. Default 16,384.
   */
  readonly maxHeaderBytes?: number | undefined;
  /** A message that is begun must be whole within this time, or its call is refused, in milliseconds. Default 60,000. */
  readonly messageTimeoutMs?: number | undefined;
  /**
   * Of messages that are not whole, from one address (IPv6: one /64 network); a call that would hold more is refused.
   * Default 256 MiB, or two messages of `maxReceiveBytes` if that is more.
   */
  readonly maxUnfinishedBytesPerAddress?: number | undefined;
  /**
   * Calls of every kind at once of one client, subscriptions among them; more are refused. A client is the name of its token,
   * or else its address (IPv6: its /64 network), here and in the options that follow. Default: no limit.
   */
  readonly maxOpenCallsPerClient?: number | undefined;
  /** Subscriptions at once of one client; more are refused, after `refusalDelayMs`. Default: no limit. */
  readonly maxSubscribersPerClient?: number | undefined;
  /**
   * Calls that one client may begin in a second; more are refused, with the time to wait. Subscriptions do not count.
   * Default: no limit.
   */
  readonly maxCallsPerSecond?: number | undefined;
  /** Calls that it may begin at once after a rest. Default `maxCallsPerSecond`. */
  readonly callBurst?: number | undefined;
  /** Events that one client may post in a second. A stream of them is slowed down, single ones are refused. Default: no limit. */
  readonly maxPostsPerSecond?: number | undefined;
  /** Events that it may post at once after a rest. Default `maxPostsPerSecond`. */
  readonly postBurst?: number | undefined;
  /**
   * How long a subscribe that must be refused is left waiting first, in milliseconds: clients that subscribe again at once
   * would do it thousands of times a second. Default 1,000.
   */
  readonly refusalDelayMs?: number | undefined;
  /** Of the body of a call's request, which may come in parts. Default 64 MiB. */
  readonly maxRequestBytes?: number | undefined;
  /** Of all requests together that are still coming in parts. Default 256 MiB. */
  readonly maxUploadBytes?: number | undefined;
  /**
   * Of those, what one connection may hold; further ones are refused with RESOURCE_EXHAUSTED. Default half of
   * `maxUploadBytes`, or one request of `maxRequestBytes` if that is more.
   */
  readonly maxUploadBytesPerClient?: number | undefined;
  /** Calls to sinks at once on one connection; further ones are refused with RESOURCE_EXHAUSTED. Default 1,000. */
  readonly maxCallsPerClient?: number | undefined;
  /** How long connections may take to end once everything is drained, in milliseconds. Default 1,000. */
  readonly shutdownGraceMs?: number | undefined;
  /** For tests of clients: a connection without calls is closed after so many milliseconds. Default: never. */
  readonly maxConnectionIdleMs?: number | undefined;
  /** For tests of clients: a connection is told to go away at this age, in milliseconds, ±10 %. Default: never. */
  readonly maxConnectionAgeMs?: number | undefined;
  /** How long its calls may then go on before they are cut, in milliseconds. Default: until they end. */
  readonly maxConnectionAgeGraceMs?: number | undefined;
  /** The three before together: 15,000, 5,000 and 3,000, where they are not given. Default false. */
  readonly recycleConnections?: boolean | undefined;
}

/** Without a default of their own. */
type Optional =
  | "maxReceiveBytes"
  | "maxOpenCallsPerClient"
  | "maxSubscribersPerClient"
  | "maxCallsPerSecond"
  | "callBurst"
  | "maxPostsPerSecond"
  | "postBurst"
  | "maxConnectionIdleMs"
  | "maxConnectionAgeMs"
  | "maxConnectionAgeGraceMs";
type Numbers = Exclude<keyof GrpcOptions, keyof GrpcSecurityOptions | "listen" | "recycleConnections" | Optional>;

/** `maxReceiveBytes` undefined: follows from the largest event. The others that may be undefined are off then. */
export interface ResolvedGrpcOptions
  extends Readonly<Record<Numbers, number>>,
    Readonly<Record<Optional, number | undefined>> {
  readonly listen: ListenAddress;
  readonly security: ResolvedGrpcSecurity;
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
  maxConnectionsPerAddress: true,
  handshakeTimeoutMs: true,
  maxHeaderBytes: true,
  messageTimeoutMs: true,
  maxUnfinishedBytesPerAddress: true,
  maxOpenCallsPerClient: true,
  maxSubscribersPerClient: true,
  maxCallsPerSecond: true,
  callBurst: true,
  maxPostsPerSecond: true,
  postBurst: true,
  refusalDelayMs: true,
  maxRequestBytes: true,
  maxUploadBytes: true,
  maxUploadBytesPerClient: true,
  maxCallsPerClient: true,
  shutdownGraceMs: true,
  maxConnectionIdleMs: true,
  maxConnectionAgeMs: true,
  maxConnectionAgeGraceMs: true,
  recycleConnections: true,
  tls: true,
  tokens: true,
  insecure: true,
};

/** As the queue that QueueApi comes from does it. */
const RECYCLING = { maxConnectionIdleMs: 15_000, maxConnectionAgeMs: 5_000, maxConnectionAgeGraceMs: 3_000 } as const;

const DEFAULT_LISTEN = "127.0.0.1:10001";
const ADDRESS = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]/@]+)):(\d{1,5})$/i;
const DAY_MS = 86_400_000;
const MILLION = 1_000_000;
const MEBIBYTE = 1_048_576;
const GIBIBYTE = 1_073_741_824;

/** Fills in the defaults. Throws `INVALID_ARGUMENT` that names all faults, unknown keys among them. The result is frozen. */
export function resolveGrpcOptions(raw: GrpcOptions): ResolvedGrpcOptions {
  const faults = Object.keys(raw)
    .filter((key) => !(key in KEYS))
    .map((key) => `unknown option ${key}; known are ${Object.keys(KEYS).join(", ")}`);
  const listen = parseAddress(raw.listen ?? DEFAULT_LISTEN, faults);
  const number = (name: Numbers | Optional, byDefault: number, least: number, most: number): number => {
    const value: unknown = raw[name] ?? byDefault;
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    faults.push(`${name} must be a whole number from ${least} to ${most}`);
    return byDefault;
  };
  const { recycleConnections = false } = raw;
  if (typeof recycleConnections !== "boolean") faults.push("recycleConnections must be true or false");
  const age = (name: keyof typeof RECYCLING, least: number): number | undefined => {
    const byDefault = recycleConnections === true ? RECYCLING[name] : undefined;
    return (raw[name] ?? byDefault) === undefined ? undefined : number(name, byDefault ?? least, least, DAY_MS);
  };
  const limit = (name: Optional, most: number, byDefault?: number): number | undefined =>
    (raw[name] ?? byDefault) === undefined ? undefined : number(name, byDefault ?? most, 1, most);
  const maxConnections = number("maxConnections", 10_000, 1, 1_000_000);
  const perAddress = raw.maxConnectionsPerAddress ?? maxConnections;
  const maxCallsPerSecond = limit("maxCallsPerSecond", MILLION);
  const maxPostsPerSecond = limit("maxPostsPerSecond", MILLION);
  if (raw.callBurst !== undefined && maxCallsPerSecond === undefined) faults.push("callBurst needs maxCallsPerSecond");
  if (raw.postBurst !== undefined && maxPostsPerSecond === undefined) faults.push("postBurst needs maxPostsPerSecond");
  const twoMessages = Math.min(GIBIBYTE, 2 * (raw.maxReceiveBytes ?? 0));
  const unfinished = Number.isInteger(twoMessages) ? Math.max(256 * MEBIBYTE, twoMessages) : 256 * MEBIBYTE;
  const maxRequestBytes = number("maxRequestBytes", 64 * MEBIBYTE, 1, GIBIBYTE);
  const maxUploadBytes = number("maxUploadBytes", 256 * MEBIBYTE, 1, 64 * GIBIBYTE);
  const share = Math.min(maxUploadBytes, Math.max(Math.ceil(maxUploadBytes / 2), maxRequestBytes));
  const security = resolveSecurity(raw, faults);
  const addressFault = literalAddressFault(listen.host, security);
  if (addressFault !== undefined) faults.push(addressFault);
  const options = {
    listen,
    security,
    keepaliveTimeMs: number("keepaliveTimeMs", 10_000, 100, DAY_MS),
    keepaliveTimeoutMs: number("keepaliveTimeoutMs", 3_000, 100, DAY_MS),
    maxReceiveBytes: raw.maxReceiveBytes === undefined ? undefined : number("maxReceiveBytes", 0, 1_024, GIBIBYTE),
    maxStreamsPerConnection: number("maxStreamsPerConnection", 2_000, 1, 1_000_000),
    maxConnections,
    maxConnectionsPerAddress: number("maxConnectionsPerAddress", perAddress, 1, MILLION),
    handshakeTimeoutMs: number("handshakeTimeoutMs", 10_000, 100, DAY_MS),
    maxHeaderBytes: number("maxHeaderBytes", 16_384, 1_024, MEBIBYTE),
    messageTimeoutMs: number("messageTimeoutMs", 60_000, 100, DAY_MS),
    maxUnfinishedBytesPerAddress: number("maxUnfinishedBytesPerAddress", unfinished, 65_536, 64 * GIBIBYTE),
    maxOpenCallsPerClient: limit("maxOpenCallsPerClient", MILLION),
    maxSubscribersPerClient: limit("maxSubscribersPerClient", MILLION),
    maxCallsPerSecond,
    callBurst: limit("callBurst", MILLION, maxCallsPerSecond),
    maxPostsPerSecond,
    postBurst: limit("postBurst", MILLION, maxPostsPerSecond),
    refusalDelayMs: number("refusalDelayMs", 1_000, 0, DAY_MS),
    maxRequestBytes,
    maxUploadBytes,
    maxUploadBytesPerClient: number("maxUploadBytesPerClient", share, 1, maxUploadBytes),
    maxCallsPerClient: number("maxCallsPerClient", 1_000, 1, 1_000_000),
    shutdownGraceMs: number("shutdownGraceMs", 1_000, 0, DAY_MS),
    maxConnectionIdleMs: age("maxConnectionIdleMs", 100),
    maxConnectionAgeMs: age("maxConnectionAgeMs", 100),
    maxConnectionAgeGraceMs: age("maxConnectionAgeGraceMs", 0),
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
