import type { Command, Database, Query } from "./binding.js";
import type { Entry, Key, Lease } from "./entry.js";

const NUMBERS_PER_PLACE = 4;

/**
 * Which messages are handed out, so that after a crash each counts as lost once. What has been acknowledged meanwhile may
 * still be named: it is not there any more. Whatever else leaves a lease is taken out of it.
 */
export class LeaseTable {
  readonly #insert: Command;
  readonly #update: Command;
  readonly #delete: Command;
  readonly #clear: Command;
  readonly #all: Query;
  readonly #changed = new Set<Lease>();
  #next: Entry[] = [];
  #lastNo = 0;
  /** The file does not say what we believe: write everything anew. */
  #isStale = true;

  constructor(database: Database) {
    this.#insert = database.command("INSERT INTO leases VALUES (?, ?)");
    this.#update = database.command("UPDATE leases SET keys = ? WHERE no = ?");
    this.#delete = database.command("DELETE FROM leases WHERE no = ?");
    this.#clear = database.command("DELETE FROM leases");
    this.#all = database.query("SELECT keys FROM leases ORDER BY no");
  }

  /** What was out when the file was left. */
  *leftOut(): Generator<Key> {
    for (const [keys] of this.#all.all()) {
      const bytes = Uint8Array.from(keys as Uint8Array);
      const numbers = new Float64Array(bytes.buffer, 0, Math.floor(bytes.byteLength / 8));
      for (let index = 0; index + NUMBERS_PER_PLACE <= numbers.length; index += NUMBERS_PER_PLACE) {
        const [queue, lane, due, id] = numbers.subarray(index) as unknown as [number, number, number, number];
        yield { queue, lane, due, id };
      }
    }
  }

  clear(): void {
    this.#clear.run();
  }

  /** It is handed out with this transaction. */
  add(entry: Entry): void {
    this.#next.push(entry);
  }

  /** `isGone`: it is not in its place any more, so that the file need not be told. */
  remove(entry: Entry, isGone: boolean): void {
    const { lease } = entry;
    if (lease === undefined) return;
    entry.lease = undefined;
    lease.entries.delete(entry);
    if (lease.entries.size === 0 || !isGone) this.#changed.add(lease);
  }

  /** Writes what has changed. */
  write(out: Iterable<Entry>): void {
    if (this.#isStale) {
      this.#clear.run();
      this.#changed.clear();
      // Those that are handed out just now are among them.
      this.#next = [...out];
      this.#isStale = false;
    }
    for (const { no, entries } of this.#changed) {
      if (entries.size === 0) this.#delete.run(no);
      else this.#update.run(toBytes(entries), no);
    }
    this.#changed.clear();
    if (this.#next.length === 0) return;
    this.#lastNo += 1;
    const lease: Lease = { no: this.#lastNo, entries: new Set(this.#next) };
    for (const entry of this.#next) entry.lease = lease;
    this.#insert.run(lease.no, toBytes(this.#next));
    this.#next = [];
  }

  /** The transaction was undone. */
  undo(): void {
    this.#next = [];
    this.#changed.clear();
    this.#isStale = true;
  }
}

function toBytes(entries: Iterable<Entry> & ({ readonly size: number } | { readonly length: number })): Uint8Array {
  const count = "size" in entries ? entries.size : entries.length;
  const numbers = new Float64Array(count * NUMBERS_PER_PLACE);
  let index = 0;
  for (const { queue, lane, due, id } of entries) {
    numbers[index] = queue;
    numbers[index + 1] = lane;
    numbers[index + 2] = due;
    numbers[index + 3] = id;
    index += NUMBERS_PER_PLACE;
  }
  return new Uint8Array(numbers.buffer);
}
