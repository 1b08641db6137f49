import type { Command, Database, Query } from "./binding.js";

const STEP = 500;

/** The ids of messages that are stored once, for as long as that was asked for. */
export class UniqueIds {
  readonly #most: number;
  readonly #find: Query;
  readonly #insert: Command;
  readonly #renew: Command;
  readonly #delete: Command;
  readonly #first: Query;
  readonly #count: Query;
  #size = 0;
  #nextPurge = Number.POSITIVE_INFINITY;
  /** As of the last commit. */
  readonly #before = { size: 0, nextPurge: Number.POSITIVE_INFINITY };

  constructor(database: Database, most: number) {
    this.#most = most;
    this.#find = database.query("SELECT until FROM unique_ids WHERE queue = ? AND message_id = ?");
    this.#insert = database.command("INSERT INTO unique_ids VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
    this.#renew = database.command("UPDATE unique_ids SET until = ? WHERE queue = ? AND message_id = ?");
    this.#delete = database.command(
      `DELETE FROM unique_ids WHERE (queue, message_id) IN
       (SELECT queue, message_id FROM unique_ids WHERE until <= ? ORDER BY until LIMIT ?)`,
    );
    this.#first = database.query("SELECT until FROM unique_ids ORDER BY until LIMIT 1");
    this.#count = database.query("SELECT count(*) FROM unique_ids");
    this.#size = this.#count.first()?.[0] as number;
    this.#nextPurge = this.#firstUntil();
    this.committed();
  }

  get size(): number {
    return this.#size;
  }

  /** How many more it takes. */
  get room(): number {
    return this.#most - this.#size;
  }

  /** When the first is over, in milliseconds since the epoch. */
  get nextPurge(): number {
    return this.#nextPurge;
  }

  committed(): void {
    this.#before.size = this.#size;
    this.#before.nextPurge = this.#nextPurge;
  }

  /** The transaction was undone. */
  undo(): void {
    this.#size = this.#before.size;
    this.#nextPurge = this.#before.nextPurge;
  }

  /** "full": it is not there, and there is no room for it. */
  add(queue: number, messageId: string, until: number, now: number): "added" | "present" | "full" {
    if (this.#size < this.#most && this.#insert.run(queue, messageId, until) > 0) {
      this.#size += 1;
    } else {
      const present = this.#find.first(queue, messageId)?.[0] as number | undefined;
      if (present === undefined) return "full";
      if (present > now) return "present";
      this.#renew.run(until, queue, messageId);
    }
    this.#nextPurge = Math.min(this.#nextPurge, until);
    return "added";
  }

  /** Takes away what is over, a step of it at most. True: there is more. */
  purge(now: number, most = STEP): boolean {
    if (this.#nextPurge > now) return false;
    this.#size -= this.#delete.run(now, most);
    this.#nextPurge = this.#firstUntil();
    return this.#nextPurge <= now;
  }

  #firstUntil(): number {
    return (this.#first.first()?.[0] as number | undefined) ?? Number.POSITIVE_INFINITY;
  }
}
