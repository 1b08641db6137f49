import { setTimeout as delay } from "node:timers/promises";
import { MessagingError } from "../../src/errors/messaging-error.js";
import { type Database, loadBinding } from "./binding.js";
import { inFile, isBusy } from "./errors.js";
import { findBroker } from "./open-brokers.js";

const LOCKED_WITHIN_MS = 10_000;

/** What can be made to go wrong with a file that is open in this process, as with a broker. */
export interface SqliteFaults {
  /** Cuts every connection. Unsettled deliveries go back as lost; new connections are welcome. */
  dropConnections(): void;
  /** As if the file could not be written any more: what is not committed is gone, and the next connection opens it anew. */
  failFile(): void;
  /**
   * Holds the write lock of the file, until what it resolves with is called, as another program would: also while the file
   * is not open in this process. Rejects when others do not let go of it for 10 s.
   */
  holdWriteLock(): Promise<() => void>;
}

/** What concerns connections does nothing while the file is not open. */
export function sqliteFaults(file: string): SqliteFaults {
  return {
    dropConnections: () =>
      findBroker(file)?.loseClients(new MessagingError("UNAVAILABLE", "the link was cut on purpose")),
    async holdWriteLock() {
      const open = await loadBinding();
      const deadline = Date.now() + LOCKED_WITHIN_MS;
      let database: Database | undefined;
      for (;;) {
        try {
          database ??= open(file);
          // To wait inside SQLite would hold up who is to let go of it.
          database.execute("PRAGMA busy_timeout = 0");
          database.execute("BEGIN IMMEDIATE");
          const held = database;
          return () => held.close();
        } catch (error) {
          // Whoever writes has it now and then.
          if (isBusy(error) && Date.now() < deadline) await delay(1);
          else {
            database?.close();
            throw inFile(file, error);
          }
        }
      }
    },
    failFile: () => findBroker(file)?.failed(new MessagingError("UNAVAILABLE", "the file was failed on purpose")),
  };
}
