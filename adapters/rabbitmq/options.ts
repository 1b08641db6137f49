import { MessagingError } from "../../src/errors/messaging-error.js";
import type { RabbitmqCredentialsSource } from "./credentials.js";
import { parseServerUrl, type ServerUrl } from "./server-url.js";
import { type RabbitmqTlsOptions, resolveTls } from "./tls-options.js";

export interface RabbitmqOptions {
  /**
   * `amqp://user:password@host:5672/vhost`, or `amqps:` for TLS. Several: the nodes of one cluster, tried in turn, one
   * per attempt to connect, also after a loss. A first connect gives up at once only when all of them refuse for good (a
   * password, a virtual host, a certificate). Defaults within: user and password `guest`, port 5672 (5671), virtual host `/`.
   */
  readonly url: string | readonly string[];
  /** What queues and their dead-letter queues are declared as. Quorum needs RabbitMQ 3.10. Default `"quorum"`. */
  readonly queueType?: "quorum" | "classic" | undefined;
  /**
   * `"declare"`: queues, dead letters, broadcasts and the delay ladder are made when first used. `"check"`: they must
   * be there, `NOT_FOUND` if not. `"none"`: they are taken to be there. Default `"declare"`.
   */
  readonly topology?: "declare" | "check" | "none" | undefined;
  /** A link that is silent two to three times this long is lost. In seconds, 1 to 600. Default 10. */
  readonly heartbeatSeconds?: number | undefined;
  /**
   * The longest that one attempt to connect may take, and later the broker's answer to one declaration (of the delay ladder, six
   * times that): what waits for it is told `UNAVAILABLE`. In milliseconds, 100 to 9,500: core gives up after 10,000. Default 9,000.
   */
  readonly connectTimeoutMs?: number | undefined;
  /** The longest that closing may wait for confirms and for the broker. In milliseconds, 0 to 600,000. Default 5,000. */
  readonly closeTimeoutMs?: number | undefined;
  /** What a dead-letter queue holds at most; what is given up beyond it stays in its queue. Default: no limit. */
  readonly deadMaxMessages?: number | undefined;
  /**
   * The largest body, in bytes, 1 to 134,217,728. Not above the broker's own `max_message_size` (128 MiB before
   * RabbitMQ 4.0, 16 MiB since). Default 16,777,216.
   */
  readonly maxMessageBytes?: number | undefined;
  /** What the broker's management shows for the connections. Default `"fairlead"`. */
  readonly connectionName?: string | undefined;
  /**
   * The broker's own `consumer_timeout`: what a consumer holds unsettled for longer, the broker takes back, and with it all that
   * the consumer holds. Handlers are told at four fifths of it, and their deliveries settled as failed before it is over
   * (capability `holdMs`). In milliseconds, 1,000 to 31,536,000,000; `Infinity` where the broker's is switched off. Default
   * 1,800,000 (30 minutes), the broker's default.
   */
  readonly consumerTimeoutMs?: number | undefined;
  /**
   * Asked for user and password (or token) before every attempt to connect, for at most `connectTimeoutMs`, in place of those in
   * the URLs. What it resolves with is neither logged nor part of an error. A failure is told, with its text, and tried again like
   * a refused connect. With `expiresInMs` in the result they are renewed on the live connection, before they expire.
   */
  readonly credentials?: RabbitmqCredentialsSource | undefined;
  /** For `amqps:` URLs. */
  readonly tls?: RabbitmqTlsOptions | undefined;
}

export interface ResolvedRabbitmqOptions {
  readonly servers: readonly ServerUrl[];
  readonly queueType: "quorum" | "classic";
  readonly topology: "declare" | "check" | "none";
  readonly heartbeatSeconds: number;
  readonly connectTimeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly deadMaxMessages: number | undefined;
  readonly maxMessageBytes: number;
  readonly connectionName: string;
  readonly consumerTimeoutMs: number;
  readonly credentials: RabbitmqCredentialsSource | undefined;
  readonly tls: RabbitmqTlsOptions;
}

const KEYS = [
  "url",
  "queueType",
  "topology",
  "heartbeatSeconds",
  "connectTimeoutMs",
  "closeTimeoutMs",
  "deadMaxMessages",
  "maxMessageBytes",
  "connectionName",
  "consumerTimeoutMs",
  "credentials",
  "tls",
];

const THIRTY_MINUTES_MS = 1_800_000;
const YEAR_MS = 31_536_000_000;

/** Checks everything, fills in the defaults. Throws one `INVALID_ARGUMENT` that names all faults. */
export function resolveRabbitmqOptions(raw: RabbitmqOptions): ResolvedRabbitmqOptions {
  if (!isRecord(raw)) throw invalid(['they must be an object such as { url: "amqp://host" }']);
  const faults: string[] = [];
  const given: Record<string, unknown> = { ...raw };
  refuseUnknown(given, faults);
  const credentials = resolveCredentials(given.credentials, faults);
  const servers = resolveServers(given.url, credentials !== undefined, faults);
  const tls = resolveTls(given.tls, servers, faults);

  const oneOf = <T extends string>(key: string, allowed: readonly T[], fallback: T): T => {
    const value = given[key] ?? fallback;
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) faults.push(`${key} must be ${allowed.map((each) => `"${each}"`).join(" or ")}`);
    return found ?? fallback;
  };
  const whole = <T extends number | undefined>(key: string, least: number, most: number, fallback: T): number | T => {
    const value = given[key] ?? undefined;
    if (value === undefined) return fallback;
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    faults.push(`${key} must be a whole number from ${least} to ${most}`);
    return fallback;
  };
  const connectionName = given.connectionName ?? "fairlead";
  if (typeof connectionName !== "string" || connectionName === "") {
    faults.push("connectionName must be a text that is not empty");
  }

  const resolved: ResolvedRabbitmqOptions = {
    servers,
    queueType: oneOf("queueType", ["quorum", "classic"], "quorum"),
    topology: oneOf("topology", ["declare", "check", "none"], "declare"),
    heartbeatSeconds: whole("heartbeatSeconds", 1, 600, 10),
    connectTimeoutMs: whole("connectTimeoutMs", 100, 9_500, 9_000),
    closeTimeoutMs: whole("closeTimeoutMs", 0, 600_000, 5_000),
    deadMaxMessages: whole("deadMaxMessages", 1, 2 ** 31 - 1, undefined),
    maxMessageBytes: whole("maxMessageBytes", 1, 2 ** 27, 2 ** 24),
    connectionName: String(connectionName),
    consumerTimeoutMs:
      given.consumerTimeoutMs === Number.POSITIVE_INFINITY
        ? Number.POSITIVE_INFINITY
        : whole("consumerTimeoutMs", 1_000, YEAR_MS, THIRTY_MINUTES_MS),
    credentials,
    tls,
  };
  if (faults.length > 0) throw invalid(faults);
  return Object.freeze(resolved);
}

function resolveServers(value: unknown, areGivenApart: boolean, faults: string[]): readonly ServerUrl[] {
  const several = Array.isArray(value);
  const texts: readonly unknown[] = several ? value : [value];
  if (texts.length === 0) faults.push("url must hold at least one URL");
  const servers: ServerUrl[] = [];
  for (const [index, text] of texts.entries()) {
    const parsed = parseServerUrl(text);
    const name = `url${several ? `[${index}]` : ""}`;
    if ("fault" in parsed) faults.push(`${name} ${parsed.fault}`);
    else if (areGivenApart && namesUser(text)) faults.push(`${name} names a user, and so does credentials: keep one`);
    else servers.push(Object.freeze(parsed));
  }
  return Object.freeze(servers);
}

function namesUser(url: unknown): boolean {
  const { username, password } = new URL(String(url));
  return username !== "" || password !== "";
}

function resolveCredentials(value: unknown, faults: string[]): RabbitmqCredentialsSource | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "function")
    faults.push("credentials must be a function that resolves to { username, password }");
  return value as RabbitmqCredentialsSource;
}

function refuseUnknown(value: object, faults: string[]): void {
  for (const key of Object.keys(value)) {
    if (!KEYS.includes(key)) faults.push(`${key} is unknown (known: ${KEYS.join(", ")})`);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(faults: readonly string[]): MessagingError {
  return new MessagingError("INVALID_ARGUMENT", `RabbitMQ options: ${faults.join("; ")}`);
}
