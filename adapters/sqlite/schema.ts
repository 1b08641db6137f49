import { MessagingError } from "../../src/errors/messaging-error.js";
import type { Database } from "./binding.js";

/** "Frld": whose file it is. */
const APPLICATION_ID = 0x46726c64;
const SCHEMA_VERSION = 1;

/** Of a new file: fewer ends of pages are left empty by messages of 1 KiB than with half of it. */
const PAGE_BYTES = 8_192;
/** Small enough that moving it into the file holds nothing up for long. */
const CHECKPOINT_BYTES = 4 * 1024 * 1024;

/**
 * `messages` has what does not change while a message waits, and is written once. `waiting` has a small row for each
 * message that is in a queue, in the order of delivery; `queue`, `lane` and `due` in `messages` say where. `history` has a row
 * for each ending; the last one of a message owns its row in `messages`.
 */
const TABLES = `
  CREATE TABLE queues (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, dead_letter_queue TEXT);
  CREATE TABLE messages (
    id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, lane INTEGER NOT NULL, due INTEGER NOT NULL,
    message_id TEXT NOT NULL, type TEXT, correlation_id TEXT, reply_to TEXT, content_type TEXT NOT NULL,
    timestamp INTEGER NOT NULL, headers TEXT, body BLOB NOT NULL
  );
  CREATE TABLE waiting (
    queue INTEGER NOT NULL, lane INTEGER NOT NULL, due INTEGER NOT NULL, id INTEGER NOT NULL,
    flags INTEGER NOT NULL, losses INTEGER NOT NULL, expires INTEGER,
    PRIMARY KEY (queue, lane, due, id)
  ) WITHOUT ROWID;
  CREATE INDEX waiting_expires ON waiting (expires) WHERE expires IS NOT NULL;
  CREATE TABLE leases (no INTEGER PRIMARY KEY, keys BLOB NOT NULL);
  CREATE TABLE history (
    no INTEGER PRIMARY KEY, id INTEGER NOT NULL, queue INTEGER NOT NULL, due INTEGER NOT NULL, changed INTEGER NOT NULL,
    state INTEGER NOT NULL, is_last INTEGER NOT NULL, bytes INTEGER NOT NULL, headers TEXT
  );
  CREATE TABLE unique_ids (
    queue INTEGER NOT NULL, message_id TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (queue, message_id)
  ) WITHOUT ROWID;
  CREATE INDEX unique_ids_until ON unique_ids (until);
`;

const INDEX_PREFIX = "messages_by_";

/** Makes the file ours, or checks that it is. Throws `INVALID_ARGUMENT` for the file of someone else or of a later version. */
export function prepareSchema(database: Database, file: string, indexedHeaders: readonly string[]): void {
  const pragma = (name: string): unknown => database.query(`PRAGMA ${name}`).first()?.[0];
  const isEmpty = database.query("SELECT count(*) FROM sqlite_schema").first()?.[0] === 0;
  const applicationId = pragma("application_id");
  const version = pragma("user_version") as number;
  if (!isEmpty && applicationId !== APPLICATION_ID) {
    throw new MessagingError("INVALID_ARGUMENT", `sqlite: ${file} is the file of another application: choose another`);
  }
  if (applicationId === APPLICATION_ID && version > SCHEMA_VERSION) {
    const text = `sqlite: ${file} was written by a later version (schema ${version}, known is ${SCHEMA_VERSION}): upgrade, or choose another file`;
    throw new MessagingError("INVALID_ARGUMENT", text);
  }
  if (isEmpty) database.execute(`PRAGMA page_size = ${PAGE_BYTES}`);
  database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  const checkpointPages = Math.round(CHECKPOINT_BYTES / (pragma("page_size") as number));
  database.execute(`PRAGMA wal_autocheckpoint = ${checkpointPages}; PRAGMA journal_size_limit = 67108864`);
  if (isEmpty) {
    const stamps = `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION};`;
    database.execute(`BEGIN IMMEDIATE; ${TABLES} ${stamps} COMMIT`);
  }
  prepareIndexes(database, indexedHeaders);
}

/** The value of a header, as the index on it has it. */
export function headerExpression(name: string, table = ""): string {
  return `json_extract(${table}headers, '$."${name}"')`;
}

function prepareIndexes(database: Database, indexedHeaders: readonly string[]): void {
  const wanted = new Map(indexedHeaders.map((name) => [INDEX_PREFIX + name, name]));
  const present = database
    .query("SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE 'messages!_by!_%' ESCAPE '!'")
    .all()
    .map(([name]) => name as string);
  for (const index of present) if (!wanted.has(index)) database.execute(`DROP INDEX "${index}"`);
  for (const [index, name] of wanted) {
    if (present.includes(index)) continue;
    const value = headerExpression(name);
    database.execute(`CREATE INDEX "${index}" ON messages (${value}, queue, due) WHERE ${value} IS NOT NULL`);
  }
}
