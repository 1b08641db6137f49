import type { Database, OpenDatabase } from "./binding.js";
import { heldElsewhere, isBusy, isDamaged, lockDamaged } from "./errors.js";

/**
 * Keeps other processes away from a file: a database beside it, `<file>.lock`, in which a transaction stays open. The
 * operating system ends it with the process, however that dies. Others may read it: it has the holder's process id.
 */
export class FileLock {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  /** Throws `UNAVAILABLE` when another process holds it, or the lock itself is damaged. */
  static hold(open: OpenDatabase, file: string): FileLock {
    const database = open(`${file}.lock`);
    try {
      database.execute("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA busy_timeout = 0");
      // Reserved, not exclusive, so that it can be read. The id must be written before it is kept.
      database.execute("BEGIN IMMEDIATE");
      database.execute(`PRAGMA user_version = ${process.pid}; COMMIT; BEGIN IMMEDIATE`);
      return new FileLock(database);
    } catch (error) {
      const pid = isBusy(error) ? holderOf(database) : undefined;
      database.close();
      if (isBusy(error)) throw heldElsewhere(file, pid);
      throw isDamaged(error) ? lockDamaged(file, error) : error;
    }
  }

  release(): void {
    this.#database.close();
  }
}

function holderOf(database: Database): number | undefined {
  try {
    const pid = database.query("PRAGMA user_version").first()?.[0];
    return typeof pid === "number" && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
