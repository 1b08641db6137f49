import { type ErrorCode, MessagingError } from "../../src/errors/messaging-error.js";
import { errorText } from "../../src/util/error-text.js";

interface Meaning {
  readonly code: ErrorCode;
  readonly text: string;
}

/** What SQLite and Node say by code, the most precise first: `SQLITE_IOERR_WRITE` is looked up before `SQLITE_IOERR`. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  SQLITE_FULL: { code: "REJECTED", text: "there is no room for it: free disk space, and it goes on by itself" },
  SQLITE_BUSY: { code: "UNAVAILABLE", text: "another process holds the file: end it, or choose another file" },
  SQLITE_LOCKED: { code: "UNAVAILABLE", text: "the file is locked" },
  SQLITE_CORRUPT: {
    code: "DATA_LOSS",
    text: "the file is damaged: restore a copy, or move it away and begin a new one",
  },
  SQLITE_NOTADB: {
    code: "DATA_LOSS",
    text: "the file is no SQLite database, or damaged: choose another, or move it away",
  },
  SQLITE_READONLY: {
    code: "PERMISSION_DENIED",
    text: "the file, or its directory, cannot be written to: change its permissions",
  },
  SQLITE_PERM: { code: "PERMISSION_DENIED", text: "the file may not be used: change its permissions" },
  SQLITE_CANTOPEN: {
    code: "PERMISSION_DENIED",
    text: "the file cannot be opened or made: see to its directory and permissions",
  },
  SQLITE_IOERR: { code: "UNAVAILABLE", text: "the disk failed" },
  SQLITE_NOMEM: { code: "UNAVAILABLE", text: "there is not enough memory" },
  SQLITE_TOOBIG: { code: "TOO_LARGE", text: "it is too large for the file, or the file is damaged: restore a copy" },
  EACCES: { code: "PERMISSION_DENIED", text: "the directory cannot be used: change its permissions" },
  EPERM: { code: "PERMISSION_DENIED", text: "the directory cannot be used: change its permissions" },
  EROFS: { code: "PERMISSION_DENIED", text: "the file system is read-only: choose another place" },
  ENOSPC: { code: "REJECTED", text: "there is no room: free disk space" },
  EEXIST: { code: "INVALID_ARGUMENT", text: "a part of the path is a file, where a directory is needed" },
  ELOOP: { code: "INVALID_ARGUMENT", text: "its links lead to each other, and to no file" },
  ENOTDIR: { code: "INVALID_ARGUMENT", text: "a part of the path is a file, where a directory is needed" },
};

/** Pure; takes anything. */
export function toMessagingError(error: unknown): MessagingError {
  return describe(error, "sqlite");
}

/** The same, naming the file. */
export function inFile(file: string, error: unknown): MessagingError {
  return describe(error, `sqlite: ${file}`);
}

function describe(error: unknown, subject: string): MessagingError {
  if (MessagingError.is(error)) return error;
  const meaning = meaningOf(codeOf(error));
  const words = errorText(error) || "an error without a text";
  if (meaning === undefined) return new MessagingError("UNKNOWN", `${subject}: ${words}`, { cause: error });
  return new MessagingError(meaning.code, `${subject}: ${meaning.text} (${words})`, { cause: error });
}

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

function meaningOf(code: string): Meaning | undefined {
  for (let name = code; name !== ""; name = name.slice(0, Math.max(0, name.lastIndexOf("_")))) {
    const meaning = Object.hasOwn(MEANINGS, name) ? MEANINGS[name] : undefined;
    if (meaning !== undefined) return meaning;
  }
  return undefined;
}

/** There is no room: what was stored is whole, and the file can go on being used. */
export function isFull(error: unknown): boolean {
  return codeOf(error) === "SQLITE_FULL";
}

/** Whether the file, not what was asked for, is at fault. */
export function isFromSqlite(error: unknown): boolean {
  return error instanceof Error && codeOf(error).startsWith("SQLITE_");
}

export function isDamaged(error: unknown): boolean {
  const code = codeOf(error);
  return code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT");
}

export function isBusy(error: unknown): boolean {
  return codeOf(error).startsWith("SQLITE_BUSY");
}

export function aborted(reason: unknown): MessagingError {
  return new MessagingError("ABORTED", "sqlite: connecting was aborted", { cause: reason });
}

/** What still waited on a connection, or was asked of it afterwards. */
export function gone(cause: unknown): MessagingError {
  const options = cause === undefined ? {} : { cause };
  return new MessagingError("UNAVAILABLE", "sqlite: the connection is closed or lost", options);
}

export function heldElsewhere(file: string, pid: number | undefined): MessagingError {
  const holder = pid === undefined ? "another process" : `process ${pid}`;
  const text = `sqlite: ${file} is in use by ${holder}: one process at a time; end it, or choose another file`;
  return new MessagingError("UNAVAILABLE", text);
}

/** The lock says nothing about the data. */
export function lockDamaged(file: string, cause: unknown): MessagingError {
  const text = `sqlite: ${file}.lock is damaged, the data is not concerned: delete that file when no process has ${file}`;
  return new MessagingError("UNAVAILABLE", text, { cause });
}

export function hardLinked(file: string, links: number): MessagingError {
  const text = `sqlite: ${file} has ${links} names (hard links), by which others could open it unnoticed: keep one of them`;
  return new MessagingError("INVALID_ARGUMENT", text);
}

export function notStorable(what: string): MessagingError {
  return new MessagingError("INVALID_ARGUMENT", `sqlite: the message cannot be stored: ${what}`);
}

export function noSuchQueue(queue: string): MessagingError {
  return new MessagingError("NOT_FOUND", `sqlite: there is no queue ${queue}`);
}

export function tooLarge(bytes: number, maxMessageBytes: number): MessagingError {
  const text = `sqlite: a body of ${bytes} bytes is over maxMessageBytes, which is ${maxMessageBytes}`;
  return new MessagingError("TOO_LARGE", text);
}

export function headersTooLarge(bytes: number, most: number): MessagingError {
  return new MessagingError("TOO_LARGE", `sqlite: headers of ${bytes} bytes are over ${most}, the most that is stored`);
}

export function otherDeadLetterQueue(queue: string, is: string, asked: string): MessagingError {
  const text = `sqlite: queue ${queue} exists with the dead-letter queue ${is}, not ${asked}: use one name everywhere`;
  return new MessagingError("ALREADY_EXISTS", text);
}

export function laneFull(queue: string, what: string): MessagingError {
  return new MessagingError("REJECTED", `sqlite: queue ${queue} is full, it holds ${what}: consume faster`);
}

export function tooManyUniqueIds(most: number): MessagingError {
  const text = `sqlite: ${most} ids of messages with uniqueForMs are remembered, which is maxUniqueIds: publish slower, or raise it`;
  return new MessagingError("REJECTED", text);
}

export function tooManySearches(most: number): MessagingError {
  const text = `sqlite: ${most} searches by messageId wait already, one of which runs at a time: try again later`;
  return new MessagingError("REJECTED", text);
}

export function selectedTooMuch(most: number): MessagingError {
  const text = `sqlite: more than ${most / 1024 / 1024} MiB of bodies would have to be held at once: select less, or a smaller limit`;
  return new MessagingError("REJECTED", text, { retryable: false });
}
