import type { Command, Database } from "./binding.js";
import type { Entry, Key } from "./entry.js";

/** Neighbours in a lane that share their time. */
interface Stretch {
  readonly queue: number;
  readonly lane: number;
  readonly due: number;
}

/**
 * The rows of `waiting`, written by the run: what is published, or settled, in one group stands side by side, and one
 * statement for all of it costs half. Until `flush` the file does not have the last ones.
 */
export class WaitingRows {
  readonly #insert: Command;
  readonly #insertIds: Command;
  readonly #deleteRange: Command;
  #inserted: (Stretch & { readonly ids: number[] }) | undefined;
  #deleted: (Stretch & { readonly first: number; last: number }) | undefined;

  constructor(database: Database) {
    this.#insert = database.command("INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?)");
    this.#insertIds = database.command("INSERT INTO waiting SELECT ?, ?, ?, value, 0, 0, NULL FROM json_each(?)");
    this.#deleteRange = database.command(
      "DELETE FROM waiting WHERE queue = ? AND lane = ? AND due = ? AND id BETWEEN ? AND ?",
    );
  }

  insert({ queue, lane, due, id, flags, losses, expires }: Entry): void {
    if (flags !== 0 || losses !== 0 || expires !== undefined) {
      this.flush();
      this.#insert.run(queue, lane, due, id, flags, losses, expires ?? null);
      return;
    }
    if (isOf(this.#inserted, queue, lane, due)) {
      this.#inserted.ids.push(id);
      return;
    }
    this.flush();
    this.#inserted = { queue, lane, due, ids: [id] };
  }

  delete({ queue, lane, due, id }: Key): void {
    // What is not there yet cannot be deleted.
    if (isOf(this.#inserted, queue, lane, due)) this.flush();
    const deleted = this.#deleted;
    if (isOf(deleted, queue, lane, due) && deleted.last + 1 === id) {
      // There is nothing between two numbers of one time.
      deleted.last = id;
      return;
    }
    this.#writeDeleted();
    this.#deleted = { queue, lane, due, first: id, last: id };
  }

  /** The file has everything. */
  flush(): void {
    this.#writeDeleted();
    const inserted = this.#inserted;
    if (inserted === undefined) return;
    this.#inserted = undefined;
    const { queue, lane, due, ids } = inserted;
    const [first] = ids;
    if (ids.length === 1 && first !== undefined) this.#insert.run(queue, lane, due, first, 0, 0, null);
    else this.#insertIds.run(queue, lane, due, JSON.stringify(ids));
  }

  /** The transaction was undone. */
  undo(): void {
    this.#inserted = undefined;
    this.#deleted = undefined;
  }

  #writeDeleted(): void {
    const deleted = this.#deleted;
    if (deleted === undefined) return;
    this.#deleted = undefined;
    const { queue, lane, due, first, last } = deleted;
    this.#deleteRange.run(queue, lane, due, first, last);
  }
}

function isOf<T extends Stretch>(stretch: T | undefined, queue: number, lane: number, due: number): stretch is T {
  return stretch !== undefined && stretch.queue === queue && stretch.lane === lane && stretch.due === due;
}
