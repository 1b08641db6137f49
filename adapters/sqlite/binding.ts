import type SqliteDatabase from "better-sqlite3";
import { MessagingError } from "../../src/errors/messaging-error.js";

/** The one place that knows which binding is used. */

export type Value = number | string | Uint8Array | null;
export type Row = readonly unknown[];

/** Changes something. */
export interface Command {
  /** Runs it and returns the number of rows that it changed. */
  run(...values: readonly Value[]): number;
}

/** Asks for rows, each an array of its columns. */
export interface Query {
  first(...values: readonly Value[]): Row | undefined;
  all(...values: readonly Value[]): readonly Row[];
  /** Calls `take` row by row until it returns false. It must not touch the database. */
  each(take: (row: Row) => boolean, ...values: readonly Value[]): void;
}

export interface Database {
  command(sql: string): Command;
  query(sql: string): Query;
  /** Several statements, for the schema and for pragmas. */
  execute(sql: string): void;
  readonly inTransaction: boolean;
  close(): void;
}

export type OpenDatabase = (file: string) => Database;

let loading: Promise<OpenDatabase> | undefined;

/** Loads the binding when it is first needed. Rejects with `UNSUPPORTED`, saying what is missing, where it is not there. */
export function loadBinding(): Promise<OpenDatabase> {
  loading ??= load();
  return loading;
}

async function load(): Promise<OpenDatabase> {
  let Constructor: typeof SqliteDatabase;
  try {
    ({ default: Constructor } = await import("better-sqlite3"));
    // The package may be there and its compiled part not.
    new Constructor(":memory:").close();
  } catch (error) {
    loading = undefined;
    const text =
      "sqlite: the package better-sqlite3, or its compiled part for this machine, is missing: " +
      "run npm install better-sqlite3 (it downloads or compiles it), " +
      "or go on without a file: --broker memory: keeps nothing through a restart";
    throw new MessagingError("UNSUPPORTED", text, { cause: error });
  }
  return (file) => new BetterSqlite(new Constructor(file, { timeout: BUSY_TIMEOUT_MS }));
}

/** While the file is opened: another program that looks at it holds us up for an instant. Later nobody waits inside SQLite. */
const BUSY_TIMEOUT_MS = 100;

class BetterSqlite implements Database {
  readonly #database: SqliteDatabase.Database;

  constructor(database: SqliteDatabase.Database) {
    this.#database = database;
  }

  get inTransaction(): boolean {
    return this.#database.inTransaction;
  }

  command(sql: string): Command {
    const statement = this.#database.prepare<Value[]>(sql);
    return { run: (...values) => statement.run(...values).changes };
  }

  query(sql: string): Query {
    const statement = this.#database.prepare<Value[], Row>(sql).raw(true);
    return {
      first: (...values) => statement.get(...values),
      all: (...values) => statement.all(...values),
      each(take, ...values) {
        for (const row of statement.iterate(...values)) if (!take(row)) return;
      },
    };
  }

  execute(sql: string): void {
    this.#database.exec(sql);
  }

  close(): void {
    this.#database.close();
  }
}
