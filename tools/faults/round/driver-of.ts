import { type MemoryBroker, memoryDriver } from "../../../adapters/memory/index.js";
import { type RabbitmqOptions, rabbitmqDriver } from "../../../adapters/rabbitmq/index.js";
import { type SqliteOptions, sqliteDriver } from "../../../adapters/sqlite/index.js";
import type { Driver } from "../../../src/driver/index.js";

export interface DriverChoices {
  /** For `memory:`, so that several nodes share one. Default: a broker of its own. */
  readonly memory?: MemoryBroker | undefined;
  readonly sqlite?: Omit<SqliteOptions, "file"> | undefined;
  readonly rabbitmq?: Omit<RabbitmqOptions, "url"> | undefined;
}

/** The driver for a broker URL, or for those of the nodes of one cluster. */
export function driverOf(url: string | readonly string[], { memory, sqlite, rabbitmq }: DriverChoices = {}): Driver {
  const [first = ""] = typeof url === "string" ? [url] : url;
  if (first.startsWith("memory:")) return memoryDriver({ broker: memory });
  if (first.startsWith("sqlite:")) return sqliteDriver({ ...sqlite, file: first.slice("sqlite:".length) });
  if (/^amqps?:/.test(first)) return rabbitmqDriver({ ...rabbitmq, url });
  throw new Error(`no adapter for ${first}`);
}
