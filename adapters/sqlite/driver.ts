import type { ConnectOptions, Driver, DriverConnection } from "../../src/driver/driver.js";
import type { Capabilities } from "../../src/ports/capabilities.js";
import { aborted, toMessagingError } from "./errors.js";
import { enterBroker } from "./open-brokers.js";
import { type ResolvedSqliteOptions, resolveSqliteOptions, type SqliteOptions } from "./options.js";
import { SqliteConnection } from "./sqlite-connection.js";

/** One node on a file. */
class SqliteDriver implements Driver {
  readonly name = "sqlite";
  readonly capabilities: Capabilities;
  readonly toMessagingError = toMessagingError;
  readonly #options: ResolvedSqliteOptions;

  constructor(options: ResolvedSqliteOptions) {
    this.#options = options;
    this.capabilities = Object.freeze({
      queue: Object.freeze({
        persistent: true,
        deadLetter: true,
        delayedDelivery: true,
        expiry: true,
        priority: true,
        deduplication: true,
        ordering: "until-requeue",
      }),
      broadcast: Object.freeze({ loopback: true }),
      inspection: "all",
      maxMessageBytes: options.maxMessageBytes,
    });
  }

  async connect(options: ConnectOptions): Promise<DriverConnection> {
    const stillWanted = (): void => {
      if (options.signal.aborted) throw aborted(options.signal.reason);
    };
    stillWanted();
    return enterBroker(this.#options, (open) => {
      stillWanted();
      return new SqliteConnection(open(), this.#options.maxMessageBytes, options);
    });
  }
}

/** Throws `INVALID_ARGUMENT`, with all faults, for options that it cannot use. */
export function sqliteDriver(options: SqliteOptions): Driver {
  return new SqliteDriver(resolveSqliteOptions(options));
}
