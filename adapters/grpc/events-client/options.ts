import { randomUUID } from "node:crypto";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import type { Clock, Random } from "../../../src/ports/clock.js";
import type { BackoffOptions } from "../../../src/util/backoff.js";
import { machineClock } from "../../../src/util/machine-clock.js";
import {
  type ClientSecurity,
  type ClientSecurityOptions,
  type ClientTls,
  resolveClientSecurity,
} from "../security/client-security.js";
import type { EventsClientNotice } from "./notice.js";

/** PEM texts. */
export type EventsClientTls = ClientTls;

export interface EventsClientOptions extends ClientSecurityOptions {
  /**
   * `host:port` of a server, an IPv6 host in brackets, or several of one broker: the first is used until it fails, then
   * the next, round and round. Required.
   */
  readonly server: string | readonly string[];
  /**
   * Who posts and subscribes: a newer subscription with the same id ends the older. At most 256 bytes. Default: a random
   * one.
   */
  readonly clientId?: string | undefined;
  /** The longest that a post may take, all its tries and waits included, in milliseconds. Default 60,000. */
  readonly postTimeoutMs?: number | undefined;
  /** As `postTimeoutMs`, for an acknowledgement. What cannot be acknowledged comes again. Default 30,000. */
  readonly ackTimeoutMs?: number | undefined;
  /** How long the first stream of a subscription may take to be there, in milliseconds. Default 30,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long a lost subscription is tried again before it is given up, in milliseconds. Default 86,400,000 (24 h). */
  readonly resubscribeMs?: number | undefined;
  /** A stream that held for so long has lived: its loss starts a new count. In milliseconds. Default 5,000. */
  readonly livesAfterMs?: number | undefined;
  /** The wait before the second try, in milliseconds; it doubles from there, with jitter. Default 1,000. */
  readonly firstBackoffMs?: number | undefined;
  /** The longest wait between two tries, in milliseconds. Default 30,000. */
  readonly maxBackoffMs?: number | undefined;
  /** A server that is silent for so long is pinged, also without a call, in milliseconds. Default 10,000. */
  readonly keepaliveTimeMs?: number | undefined;
  /** A ping that is not answered within this time ends the connection, in milliseconds. Default 3,000. */
  readonly keepaliveTimeoutMs?: number | undefined;
  /** Is told what happens. What it throws is dropped. */
  readonly onNotice?: ((notice: EventsClientNotice) => void) | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
}

export interface ResolvedEventsClientOptions {
  readonly servers: readonly string[];
  readonly clientId: string;
  readonly security: ClientSecurity;
  readonly postTimeoutMs: number;
  readonly ackTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly resubscribeMs: number;
  readonly livesAfterMs: number;
  readonly backoff: BackoffOptions;
  readonly keepaliveTimeMs: number;
  readonly keepaliveTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  notify(notice: EventsClientNotice): void;
}

const KEYS: Readonly<Record<keyof EventsClientOptions, true>> = {
  server: true,
  clientId: true,
  tls: true,
  token: true,
  plaintextToken: true,
  postTimeoutMs: true,
  ackTimeoutMs: true,
  connectTimeoutMs: true,
  resubscribeMs: true,
  livesAfterMs: true,
  firstBackoffMs: true,
  maxBackoffMs: true,
  keepaliveTimeMs: true,
  keepaliveTimeoutMs: true,
  onNotice: true,
  clock: true,
  random: true,
};

const ADDRESS = /^(?:\[[0-9a-f:.]+\]|[^\s:[\]/@,]+):\d{1,5}$/i;
const MAX_SERVERS = 100;
const MAX_ID_BYTES = 256;
const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;
const systemRandom: Random = { fraction: () => Math.random(), uuid: () => randomUUID() };

/** Fills in the defaults. Throws `INVALID_ARGUMENT` that names all faults, unknown keys among them. The result is frozen. */
export function resolveEventsClientOptions(raw: EventsClientOptions): ResolvedEventsClientOptions {
  if (typeof raw !== "object" || raw === null) throw invalid(["the options must be { server, … }"]);
  const faults = unknownKeys(raw, KEYS, "option");
  const number = (name: keyof EventsClientOptions, byDefault: number, least: number, most: number): number => {
    const value: unknown = raw[name] ?? byDefault;
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    faults.push(`${name} must be a whole number from ${least} to ${most}`);
    return byDefault;
  };
  const servers = readServers(raw.server, faults);
  const security = resolveClientSecurity(raw, servers, faults);
  const random = raw.random ?? systemRandom;
  const clientId = raw.clientId ?? random.uuid();
  if (typeof clientId !== "string" || Buffer.byteLength(clientId) > MAX_ID_BYTES) {
    faults.push(`clientId must be a text of at most ${MAX_ID_BYTES} bytes`);
  }
  const firstMs = number("firstBackoffMs", 1_000, 1, DAY_MS);
  const { onNotice } = raw;
  const options: ResolvedEventsClientOptions = {
    servers,
    clientId,
    security,
    postTimeoutMs: number("postTimeoutMs", 60_000, 1, YEAR_MS),
    ackTimeoutMs: number("ackTimeoutMs", 30_000, 10, DAY_MS),
    connectTimeoutMs: number("connectTimeoutMs", 30_000, 1, YEAR_MS),
    resubscribeMs: number("resubscribeMs", DAY_MS, 0, YEAR_MS),
    livesAfterMs: number("livesAfterMs", 5_000, 1, DAY_MS),
    backoff: { firstMs, maxMs: Math.max(firstMs, number("maxBackoffMs", 30_000, 1, DAY_MS)) },
    keepaliveTimeMs: number("keepaliveTimeMs", 10_000, 100, DAY_MS),
    keepaliveTimeoutMs: number("keepaliveTimeoutMs", 3_000, 100, DAY_MS),
    clock: raw.clock ?? machineClock,
    random,
    notify(notice) {
      try {
        onNotice?.(notice);
      } catch {
        // Whoever is told must not harm the work.
      }
    },
  };
  if (faults.length > 0) throw invalid(faults);
  return Object.freeze(options);
}

function readServers(raw: unknown, faults: string[]): readonly string[] {
  const servers: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
  const isAddress = (server: unknown): server is string =>
    typeof server === "string" && ADDRESS.test(server) && Number(server.split(":").at(-1)) <= 65_535;
  if (servers.length >= 1 && servers.length <= MAX_SERVERS && servers.every(isAddress)) return servers;
  faults.push(`server must be host:port, for example 127.0.0.1:10001 or [::1]:10001, or a list of 1 to ${MAX_SERVERS}`);
  return [];
}

function unknownKeys(raw: object, known: object, what: string): string[] {
  return Object.keys(raw)
    .filter((key) => !(key in known))
    .map((key) => `unknown ${what} ${key}; known are ${Object.keys(known).join(", ")}`);
}

function invalid(faults: readonly string[]): MessagingError {
  return new MessagingError("INVALID_ARGUMENT", `events client: ${faults.join("; ")}`);
}
