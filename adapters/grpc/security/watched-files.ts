import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import type { Cancel, Clock } from "../../../src/ports/clock.js";

const MAX_FILE_BYTES = 4_194_304;
/** What is there twice in a row is taken: a file that is being written is not read half. */
const INTERVAL_MS = 250;
const OTHERS_MAY_READ = 0o004;

export interface WatchedFilesOptions {
  readonly paths: readonly string[];
  /** As they were read before. */
  readonly contents: readonly Buffer[];
  readonly clock: Clock;
  /** All of them, when one has changed. */
  onChanged(contents: readonly Buffer[]): void;
  /** One of them cannot be read any more. Called once, until that changes. */
  onUnreadable(error: MessagingError): void;
}

/** Reads files again and again, and tells when they are others. By their content: links may change, and clocks be coarse. */
export class WatchedFiles {
  readonly #options: WatchedFilesOptions;
  #taken: string;
  #seen: string | undefined;
  #cancel: Cancel | undefined;
  #isStopped = false;

  constructor(options: WatchedFilesOptions) {
    this.#options = options;
    this.#taken = printOf(options.contents);
  }

  start(): void {
    if (!this.#isStopped) this.#cancel = this.#options.clock.setTimer(INTERVAL_MS, () => void this.#look());
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  async #look(): Promise<void> {
    const { paths, onChanged, onUnreadable } = this.#options;
    let contents: readonly Buffer[] | undefined;
    let failure: MessagingError | undefined;
    let print: string;
    try {
      contents = await Promise.all(paths.map(readRegularFile));
      print = printOf(contents);
    } catch (error) {
      failure = MessagingError.is(error) ? error : new MessagingError("INTERNAL", "a file could not be read");
      print = failure.message;
    }
    if (this.#isStopped) return;
    const isSteady = print === this.#seen;
    this.#seen = print;
    if (isSteady && print !== this.#taken) {
      this.#taken = print;
      if (contents !== undefined) onChanged(contents);
      else if (failure !== undefined) onUnreadable(failure);
    }
    this.start();
  }
}

/** Throws `INVALID_ARGUMENT` that says what is wrong with it. */
export function readFileNow(path: string): Buffer {
  try {
    const content = readFileSync(path);
    if (content.byteLength <= MAX_FILE_BYTES) return content;
  } catch (error) {
    throw unreadable(path, error);
  }
  throw tooLarge(path);
}

/** A pipe is there once, and to open it again would wait without end. */
export function isRegularFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Whether everybody on this machine may read it, which secrets should not be. */
export async function isReadableByOthers(path: string): Promise<boolean> {
  if (process.platform === "win32") return false;
  try {
    const { mode } = await stat(path);
    return (mode & OTHERS_MAY_READ) !== 0;
  } catch {
    // Told where it is read.
    return false;
  }
}

async function readRegularFile(path: string): Promise<Buffer> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new Error("it is no regular file");
    if (found.size > MAX_FILE_BYTES) throw tooLarge(path);
    return await readFile(path);
  } catch (error) {
    throw MessagingError.is(error) ? error : unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): MessagingError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file",
    EISDIR: "it is a directory",
    EACCES: "permission denied",
  };
  const reason = reasons[String(code)] ?? (cause instanceof Error && code === undefined ? cause.message : String(code));
  return new MessagingError("INVALID_ARGUMENT", `${path} cannot be read: ${reason}`, { cause });
}

function tooLarge(path: string): MessagingError {
  return new MessagingError("INVALID_ARGUMENT", `${path} has more than ${MAX_FILE_BYTES} bytes`);
}

function printOf(contents: readonly Buffer[]): string {
  const hash = createHash("sha256");
  for (const content of contents) hash.update(`${content.byteLength}:`).update(content);
  return hash.digest("hex");
}
