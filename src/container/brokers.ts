import type { ContainerModule } from "inversify";
import { type MemoryOptions, memoryModule } from "../../adapters/memory/index.js";
import { type RabbitmqOptions, rabbitmqModule } from "../../adapters/rabbitmq/index.js";
import { type SqliteOptions, sqliteModule } from "../../adapters/sqlite/index.js";
import { MessagingError } from "../errors/messaging-error.js";

/** Options by adapter: those of the adapter that the URL chooses are used, so that the URL alone may change. */
export interface BrokerOptions {
  readonly memory?: MemoryOptions | undefined;
  readonly sqlite?: Omit<SqliteOptions, "file"> | undefined;
  readonly rabbitmq?: Omit<RabbitmqOptions, "url"> | undefined;
}

interface Broker {
  readonly schemes: readonly string[];
  readonly example: string;
  /** What is wrong with this URL of one of its schemes; undefined if nothing is. Quotes nothing of it. */
  fault(url: URL): string | undefined;
  /** Several hosts may be given. */
  readonly cluster: boolean;
  module(url: string | readonly string[], options: BrokerOptions): ContainerModule;
}

const SQLITE = "sqlite:";

const BROKERS: readonly Broker[] = [
  {
    schemes: ["memory:"],
    example: "memory:",
    fault: (url) => (url.href === "memory:" ? undefined : "must have nothing after the colon"),
    cluster: false,
    module: (_, { memory }) => memoryModule(memory),
  },
  {
    schemes: [SQLITE],
    example: "sqlite:./data/events.db",
    fault: (url) => sqliteFault(url.href),
    cluster: false,
    module: (url, { sqlite }) => sqliteModule({ ...sqlite, file: fileOf(String(url)) }),
  },
  {
    schemes: ["amqp:", "amqps:"],
    example: "amqp://user:password@host:5672/vhost",
    fault: amqpFault,
    cluster: true,
    module: (url, { rabbitmq }) => rabbitmqModule({ ...rabbitmq, url }),
  },
];

/**
 * The adapter module for a broker URL, by its scheme: `sqlite:` and the path of a file, relative to the working directory or
 * absolute, `memory:`, `amqp:` or `amqps:`. Several URLs, as a list or with
 * commas between them, are the hosts of one cluster. Throws as `checkBrokerUrl` does.
 */
export function brokerModule(url: string | readonly string[], options: BrokerOptions = {}): ContainerModule {
  const urls = urlsOf(url);
  return brokerOfAll(urls).module(urls.length > 1 ? urls : url, options);
}

/** Throws one `INVALID_ARGUMENT` for a URL that no adapter takes: what is wrong, what is known, never a credential. */
export function checkBrokerUrl(url: string | readonly string[]): void {
  brokerModule(url);
}

/** The URL as it may be shown: what stands before the last `@` masked, without query and fragment. */
export function maskBrokerUrl(url: string | readonly string[]): string {
  return urlsOf(url).map(maskOne).join(",");
}

function urlsOf(url: string | readonly string[]): readonly string[] {
  return typeof url === "string" ? url.split(/,(?=[a-z][a-z0-9+.-]*:\/\/)/i) : url;
}

function maskOne(url: string): string {
  const scheme = schemeOf(url) ?? "";
  // A path is no secret, and may hold any character.
  if (scheme === SQLITE) return url;
  const rest = url.slice(scheme.length);
  const slashes = rest.startsWith("//") ? "//" : "";
  const at = rest.lastIndexOf("@");
  const place = at < 0 ? rest.slice(slashes.length) : `***@${rest.slice(at + 1)}`;
  return `${scheme}${slashes}${place.replace(/[?#].*$/su, "")}`;
}

function brokerOfAll(urls: readonly string[]): Broker {
  const [broker, ...others] = new Set(urls.map(brokerOf));
  if (broker === undefined) throw invalid("is missing");
  if (others.length > 0) throw invalid("names different brokers, but several URLs must be hosts of one cluster");
  if (urls.length > 1 && !broker.cluster) throw invalid("must stand alone");
  return broker;
}

function brokerOf(url: string): Broker {
  const scheme = schemeOf(url);
  if (scheme === undefined) throw invalid("has no scheme");
  const broker = BROKERS.find(({ schemes }) => schemes.includes(scheme));
  if (broker === undefined) {
    // "user:password@host" has a user where the scheme should be.
    throw invalid(/^[^/]*@/.test(url) ? "has no scheme" : `has the unknown scheme ${scheme}`);
  }
  const fault = URL.canParse(url)
    ? broker.fault(new URL(url))
    : "is malformed (check host and port, and percent-encode special characters in the credentials)";
  if (fault !== undefined) throw invalid(`with the scheme ${scheme} ${fault}`);
  return broker;
}

function amqpFault(url: URL): string | undefined {
  if (!/^amqps?:\/\//i.test(url.href) || url.hostname === "") return "names no host";
  const behindHost = url.pathname + url.search + url.hash;
  return behindHost.includes("@") ? "has an @, / or ? in its credentials that must be percent-encoded" : undefined;
}

function sqliteFault(url: string): string | undefined {
  if (/^sqlite:\/\/[^/]/i.test(url)) return "takes a path and no host: sqlite:./file.db or sqlite:/directory/file.db";
  return /^\/*$/.test(fileOf(url)) ? "names no file" : undefined;
}

/** `sqlite:///directory/file.db` is an absolute path, too. */
function fileOf(url: string): string {
  return url.slice(SQLITE.length).replace(/^\/\/(?=\/)/, "");
}

function schemeOf(url: string): string | undefined {
  return /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0].toLowerCase();
}

function invalid(fault: string): MessagingError {
  const known = BROKERS.flatMap(({ schemes }) => schemes).join(", ");
  const examples = BROKERS.map(({ example }) => example).join(" or ");
  return new MessagingError(
    "INVALID_ARGUMENT",
    `the broker URL ${fault} (known schemes: ${known}; for example ${examples})`,
  );
}
