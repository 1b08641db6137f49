import { MessagingError } from "../../src/errors/messaging-error.js";

export interface SqliteOptions {
  /**
   * The database. Its directory is made when it is missing, and `<file>-wal`, `<file>-shm` and `<file>.lock` stand beside
   * it. One process at a time; within a process, whoever names the same file shares it.
   */
  readonly file: string;
  /** How long what is over is kept, for operators to look at. 0: not at all. Default 604,800,000 (7 days). */
  readonly historyMs?: number | undefined;
  /** The most entries that are kept of it; the oldest go first. Default 100,000. */
  readonly maxHistoryMessages?: number | undefined;
  /** The most bytes of bodies and headers that are kept of it, likewise. Default 268,435,456 (256 MiB). */
  readonly maxHistoryBytes?: number | undefined;
  /** The most ids that are remembered for `uniqueForMs`; a publish of a new one is then refused with `REJECTED`. Default 10,000,000. */
  readonly maxUniqueIds?: number | undefined;
  /**
   * Headers by which messages can be found without a search through all of them: of letters, digits, `.`, `_` and `-`, at
   * most 8. A change is applied when the file is opened, which takes seconds for a million messages. Default
   * `event-key1` and `event-key2`.
   */
  readonly indexedHeaders?: readonly string[] | undefined;
  /**
   * How long another program may hold the write lock of the file, in milliseconds. Until then what is to be written waits;
   * then every connection counts as lost, with `UNAVAILABLE`. Default 5,000.
   */
  readonly lockTimeoutMs?: number | undefined;
  /** The largest body. Default 16,777,216 (16 MiB), at most 268,435,456 (256 MiB). */
  readonly maxMessageBytes?: number | undefined;
}

export interface ResolvedSqliteOptions {
  readonly file: string;
  readonly historyMs: number;
  readonly maxHistoryMessages: number;
  readonly maxHistoryBytes: number;
  readonly maxUniqueIds: number;
  readonly indexedHeaders: readonly string[];
  readonly lockTimeoutMs: number;
  readonly maxMessageBytes: number;
}

const KEYS: ReadonlySet<string> = new Set([
  "file",
  "historyMs",
  "maxHistoryMessages",
  "maxHistoryBytes",
  "maxUniqueIds",
  "indexedHeaders",
  "lockTimeoutMs",
  "maxMessageBytes",
]);

const MOST_MESSAGE_BYTES = 256 * 1024 * 1024;
const MOST_LOCK_TIMEOUT_MS = 3_600_000;
const MOST_INDEXED_HEADERS = 8;
const HEADER_NAME = /^[A-Za-z0-9._-]{1,100}$/;

/** Throws `INVALID_ARGUMENT` that names every fault, unknown keys included. The result is frozen. */
export function resolveSqliteOptions(raw: SqliteOptions): ResolvedSqliteOptions {
  const faults: string[] = [];
  const isObject = typeof raw === "object" && raw !== null && !Array.isArray(raw);
  if (!isObject) faults.push("options must be an object with a file");
  const given: Readonly<Record<string, unknown>> = isObject ? { ...raw } : {};
  for (const key of Object.keys(given)) {
    if (!KEYS.has(key)) faults.push(`options has no key ${JSON.stringify(key)}, known are ${[...KEYS].join(", ")}`);
  }
  const count = (name: keyof SqliteOptions, byDefault: number, least: number, most: number): number => {
    const value = given[name];
    if (value === undefined) return byDefault;
    if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
    faults.push(`${name} must be a whole number from ${least} to ${most}`);
    return byDefault;
  };
  const resolved: ResolvedSqliteOptions = {
    file: isObject ? resolveFile(given.file, faults) : "",
    historyMs: count("historyMs", 7 * 24 * 3_600_000, 0, Number.MAX_SAFE_INTEGER),
    maxHistoryMessages: count("maxHistoryMessages", 100_000, 0, 100_000_000),
    maxHistoryBytes: count("maxHistoryBytes", 256 * 1024 * 1024, 0, Number.MAX_SAFE_INTEGER),
    maxUniqueIds: count("maxUniqueIds", 10_000_000, 1, 100_000_000),
    indexedHeaders: resolveHeaders(given.indexedHeaders, faults),
    lockTimeoutMs: count("lockTimeoutMs", 5_000, 0, MOST_LOCK_TIMEOUT_MS),
    maxMessageBytes: count("maxMessageBytes", 16 * 1024 * 1024, 1, MOST_MESSAGE_BYTES),
  };
  if (faults.length > 0) throw new MessagingError("INVALID_ARGUMENT", `sqliteDriver: ${faults.join("; ")}`);
  return Object.freeze(resolved);
}

function resolveFile(file: unknown, faults: string[]): string {
  if (typeof file !== "string" || file.trim() === "" || file.includes("\0")) {
    faults.push("file must be the path of a file");
    return "";
  }
  if (file === ":memory:" || file.startsWith("file:")) {
    faults.push(`file must be a path, not ${file}: the memory adapter keeps messages without a file`);
  } else if (/[/\\]$/.test(file)) {
    faults.push("file must be the path of a file, not of a directory");
  }
  return file;
}

function resolveHeaders(value: unknown, faults: string[]): readonly string[] {
  if (value === undefined) return Object.freeze(["event-key1", "event-key2"]);
  const isList = Array.isArray(value) && value.length <= MOST_INDEXED_HEADERS;
  if (isList && value.every((name) => typeof name === "string" && HEADER_NAME.test(name))) {
    return Object.freeze([...new Set(value as string[])]);
  }
  faults.push(`indexedHeaders must be a list of at most ${MOST_INDEXED_HEADERS} names of letters, digits, ., _ and -`);
  return [];
}
