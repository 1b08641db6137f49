import { MessagingError } from "../../src/errors/messaging-error.js";
import { parseServerUrl, type ServerUrl } from "./server-url.js";

export interface RabbitmqTlsOptions {
  /** Certificates that are trusted, PEM. Default: those that Node trusts. */
  readonly ca?: string | Uint8Array | undefined;
  /** The client's own certificate, PEM. Needs `key`. */
  readonly cert?: string | Uint8Array | undefined;
  /** The client's own key, PEM. Needs `cert`. */
  readonly key?: string | Uint8Array | undefined;
  /** What the key is encrypted with. */
  readonly passphrase?: string | undefined;
  /** The name that the broker's certificate must bear. Default: the host in the URL. */
  readonly serverName?: string | undefined;
}

export interface RabbitmqOptions {
  /**
   * `amqp://user:password@host:5672/vhost`, or `amqps:` for TLS. Several: the nodes of one cluster, tried in turn, one
   * per attempt to connect. Defaults within: user and password `guest`, port 5672 (5671), virtual host `/`.
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
  /** The longest that one attempt to connect may take. In milliseconds, 100 to 600,000. Default 10,000. */
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
  "tls",
];
const TLS_KEYS = ["ca", "cert", "key", "passphrase", "serverName"];

/** Checks everything, fills in the defaults. Throws one `INVALID_ARGUMENT` that names all faults. */
export function resolveRabbitmqOptions(raw: RabbitmqOptions): ResolvedRabbitmqOptions {
  if (!isRecord(raw)) throw invalid(['they must be an object such as { url: "amqp://host" }']);
  const faults: string[] = [];
  const given: Record<string, unknown> = { ...raw };
  refuseUnknown(given, KEYS, "", faults);
  const servers = resolveServers(given.url, faults);
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
    connectTimeoutMs: whole("connectTimeoutMs", 100, 600_000, 10_000),
    closeTimeoutMs: whole("closeTimeoutMs", 0, 600_000, 5_000),
    deadMaxMessages: whole("deadMaxMessages", 1, 2 ** 31 - 1, undefined),
    maxMessageBytes: whole("maxMessageBytes", 1, 2 ** 27, 2 ** 24),
    connectionName: String(connectionName),
    tls,
  };
  if (faults.length > 0) throw invalid(faults);
  return Object.freeze(resolved);
}

function resolveServers(value: unknown, faults: string[]): readonly ServerUrl[] {
  const several = Array.isArray(value);
  const texts: readonly unknown[] = several ? value : [value];
  if (texts.length === 0) faults.push("url must hold at least one URL");
  const servers: ServerUrl[] = [];
  for (const [index, text] of texts.entries()) {
    const parsed = parseServerUrl(text);
    if ("fault" in parsed) faults.push(`url${several ? `[${index}]` : ""} ${parsed.fault}`);
    else servers.push(Object.freeze(parsed));
  }
  return Object.freeze(servers);
}

function resolveTls(value: unknown, servers: readonly ServerUrl[], faults: string[]): RabbitmqTlsOptions {
  if (value === undefined) return Object.freeze({});
  if (!isRecord(value)) {
    faults.push("tls must be an object");
    return Object.freeze({});
  }
  refuseUnknown(value, TLS_KEYS, "tls.", faults);
  for (const key of ["ca", "cert", "key"]) {
    const pem = value[key];
    if (pem !== undefined && typeof pem !== "string" && !(pem instanceof Uint8Array)) {
      faults.push(`tls.${key} must be PEM text or bytes`);
    }
  }
  for (const key of ["passphrase", "serverName"]) {
    if (value[key] !== undefined && typeof value[key] !== "string") faults.push(`tls.${key} must be a text`);
  }
  if ((value.cert === undefined) !== (value.key === undefined)) faults.push("tls.cert and tls.key go together");
  if (servers.some((server) => server.protocol === "amqp")) faults.push("tls is given: write amqps: in every url");
  return Object.freeze({ ...value });
}

function refuseUnknown(value: object, known: readonly string[], prefix: string, faults: string[]): void {
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) faults.push(`${prefix}${key} is unknown (known: ${known.join(", ")})`);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(faults: readonly string[]): MessagingError {
  return new MessagingError("INVALID_ARGUMENT", `RabbitMQ options: ${faults.join("; ")}`);
}
