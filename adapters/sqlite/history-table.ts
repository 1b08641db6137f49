import type { Command, Database, Query } from "./binding.js";
import type { Entry, Key } from "./entry.js";
import { headersText, type PastState, STATE } from "./mapping.js";

export interface HistoryLimits {
  readonly historyMs: number;
  readonly maxHistoryMessages: number;
  readonly maxHistoryBytes: number;
}

/** What a step takes away at most, so that none holds anything up: more than a group can bring. */
const STEP = 500;
const STEP_BYTES = 8 * 1024 * 1024;

/** What is over. Entries are in the order in which things ended, and leave in that order. */
export class HistoryTable {
  readonly #limits: HistoryLimits;
  readonly #insert: Command;
  readonly #deleteMessages: Command;
  readonly #delete: Command;
  readonly #oldest: Query;
  #entries = 0;
  #bytes = 0;
  #oldestChanged = Number.POSITIVE_INFINITY;
  /** As of the last commit. */
  readonly #before = { entries: 0, bytes: 0, oldestChanged: Number.POSITIVE_INFINITY };

  constructor(database: Database, limits: HistoryLimits) {
    this.#limits = limits;
    this.#insert = database.command(
      "INSERT INTO history (id, queue, due, changed, state, is_last, bytes, headers) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#deleteMessages = database.command(
      "DELETE FROM messages WHERE id IN (SELECT id FROM history WHERE no <= ? AND is_last = 1)",
    );
    this.#delete = database.command("DELETE FROM history WHERE no <= ?");
    this.#oldest = database.query("SELECT no, bytes, changed FROM history ORDER BY no");
    const totals = database.query("SELECT count(*), coalesce(sum(bytes), 0), min(changed) FROM history");
    const [entries, bytes, changed] = totals.first() as readonly [number, number, number | null];
    this.#entries = entries;
    this.#bytes = bytes;
    this.#oldestChanged = changed ?? Number.POSITIVE_INFINITY;
    this.committed();
  }

  /** Whether anything is kept. */
  get isKept(): boolean {
    return this.#limits.historyMs > 0 && this.#limits.maxHistoryMessages > 0;
  }

  /** When the oldest entry is to go, in milliseconds since the epoch. */
  get nextPurge(): number {
    return this.#oldestChanged + this.#limits.historyMs;
  }

  committed(): void {
    this.#before.entries = this.#entries;
    this.#before.bytes = this.#bytes;
    this.#before.oldestChanged = this.#oldestChanged;
  }

  /** The transaction was undone. */
  undo(): void {
    this.#entries = this.#before.entries;
    this.#bytes = this.#before.bytes;
    this.#oldestChanged = this.#before.oldestChanged;
  }

  /** A message is over: its row in `messages` belongs to history from now on. */
  end(entry: Entry, state: PastState, now: number): void {
    this.#add(entry, now, STATE[state], 1, entry.bytes, null);
  }

  /** An attempt is over, and the message goes on: its headers as they were. */
  note(entry: Entry, state: PastState, now: number): void {
    if (!this.isKept) return;
    const headers = headersText(entry.message.headers);
    this.#add(entry, now, STATE[state], 0, headers?.length ?? 0, headers);
  }

  #add(
    { queue, due, id }: Key,
    now: number,
    state: number,
    isLast: number,
    bytes: number,
    headers: string | null,
  ): void {
    this.#insert.run(id, queue, due, now, state, isLast, bytes, headers);
    this.#entries += 1;
    this.#bytes += bytes;
    if (this.#entries === 1) this.#oldestChanged = now;
  }

  /** Takes away what is too old or too much, a step of it at most. True: there is more. */
  purge(now: number, most = STEP): boolean {
    const { historyMs, maxHistoryMessages, maxHistoryBytes } = this.#limits;
    const before = now - historyMs;
    const isOver = (changed: number): boolean =>
      this.#entries > maxHistoryMessages || this.#bytes > maxHistoryBytes || changed <= before || !this.isKept;
    if (this.#entries === 0 || !isOver(this.#oldestChanged)) return false;
    let last: number | undefined;
    let left = most;
    let bytesLeft = STEP_BYTES;
    let isMore = false;
    this.#oldest.each((row) => {
      const [no, bytes, changed] = row as readonly [number, number, number];
      this.#oldestChanged = changed;
      isMore = isOver(changed);
      if (!isMore || left === 0 || bytesLeft <= 0) return false;
      left -= 1;
      bytesLeft -= bytes;
      last = no;
      this.#entries -= 1;
      this.#bytes -= bytes;
      return true;
    });
    if (last !== undefined) {
      this.#deleteMessages.run(last);
      this.#delete.run(last);
    }
    if (this.#entries > 0) return isMore;
    this.#oldestChanged = Number.POSITIVE_INFINITY;
    return false;
  }
}
