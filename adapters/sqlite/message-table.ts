import type { WireMessage } from "../../src/driver/driver.js";
import type { Command, Database, Query, Row } from "./binding.js";
import { DELAYED, Entry, type Key, RELEASED } from "./entry.js";
import { headersText, MESSAGE_COLUMNS, toWireMessage } from "./mapping.js";
import { WaitingRows } from "./waiting-rows.js";

const COLUMNS = MESSAGE_COLUMNS.map((name) => `m.${name}`).join(", ");
const WITHOUT_BODY = MESSAGE_COLUMNS.map((name) => (name === "body" ? "x'' AS body" : `m.${name}`)).join(", ");
const WAITING = "w.lane, w.due, w.id, w.flags, w.losses, w.expires";
/** Where the columns of the message begin. */
const MESSAGE_FROM = 6;
/** Where the length of a body is that is not read. */
const LENGTH_AT = MESSAGE_FROM + MESSAGE_COLUMNS.length;

/** The messages that are in queues. */
export class MessageTable {
  readonly #waiting: WaitingRows;
  readonly #insertMessage: Command;
  readonly #moveMessage: Command;
  readonly #deleteMessage: Command;
  readonly #setFlags: Command;
  readonly #ready: Query;
  readonly #nextDue: Query;
  readonly #expired: Query;
  readonly #nextExpiry: Query;
  readonly #at: Query;
  readonly #atWithoutBody: Query;
  readonly #countUntil: Query;
  readonly #countAfter: Query;
  readonly #keys: Query;
  readonly #bringBack: readonly Command[];
  #lastId: number;

  constructor(database: Database) {
    this.#waiting = new WaitingRows(database);
    const key = "queue = ? AND lane = ? AND due = ? AND id = ?";
    this.#insertMessage = database.command(
      `INSERT INTO messages (id, queue, lane, due, ${MESSAGE_COLUMNS.join(", ")}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#moveMessage = database.command("UPDATE messages SET queue = ?, lane = ?, due = ?, headers = ? WHERE id = ?");
    this.#deleteMessage = database.command("DELETE FROM messages WHERE id = ?");
    this.#setFlags = database.command(`UPDATE waiting SET flags = ?, losses = ? WHERE ${key}`);
    const from = "FROM waiting w JOIN messages m ON m.id = w.id";
    this.#ready = database.query(
      `SELECT ${WAITING}, ${COLUMNS} ${from} WHERE w.queue = ? AND w.lane = ? AND (w.due, w.id) > (?, ?) AND w.due <= ?
       ORDER BY w.due, w.id`,
    );
    this.#nextDue = database.query(
      "SELECT due FROM waiting WHERE queue = ? AND lane = ? AND due > ? ORDER BY due LIMIT 1",
    );
    this.#expired = database.query(
      `SELECT ${WAITING}, ${WITHOUT_BODY}, length(m.body), w.queue ${from} WHERE w.expires IS NOT NULL AND w.expires <= ? ORDER BY w.expires`,
    );
    this.#nextExpiry = database.query(
      "SELECT expires FROM waiting WHERE expires IS NOT NULL AND expires > ? ORDER BY expires LIMIT 1",
    );
    this.#at = database.query(
      `SELECT ${WAITING}, ${COLUMNS} ${from} WHERE w.queue = ? AND w.lane = ? AND w.due = ? AND w.id = ?`,
    );
    this.#atWithoutBody = database.query(
      `SELECT ${WAITING}, ${WITHOUT_BODY}, length(m.body) ${from} WHERE w.queue = ? AND w.lane = ? AND w.due = ? AND w.id = ?`,
    );
    const inLane = "FROM waiting WHERE queue = ? AND lane = ?";
    this.#countUntil = database.query(`SELECT count(*) ${inLane} AND due <= ?`);
    this.#countAfter = database.query(`SELECT count(*) ${inLane} AND due > ?`);
    this.#keys = database.query(`SELECT due, id ${inLane} AND due <= ? ORDER BY due, id`);
    // The order is kept, since ids grow.
    const early = `queue = ? AND lane = ? AND due > ? AND flags & ${DELAYED} = 0`;
    this.#bringBack = [
      database.command(`UPDATE messages SET due = ? WHERE id IN (SELECT id FROM waiting WHERE ${early})`),
      database.command(`UPDATE waiting SET due = ? WHERE ${early}`),
    ];
    // Numbers that history still speaks of are not given again.
    const last = database.query(
      "SELECT max(coalesce((SELECT max(id) FROM messages), 0), coalesce((SELECT max(id) FROM history), 0))",
    );
    this.#lastId = (last.first()?.[0] as number | null) ?? 0;
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** Whatever was asked for is in the file: to be called before the transaction is committed, or the file is asked by others. */
  flush(): void {
    this.#waiting.flush();
  }

  /** The transaction was undone. */
  undo(): void {
    this.#waiting.undo();
  }

  insert(entry: Entry): void {
    const { message: m, queue, lane, due, id } = entry;
    this.#insertMessage.run(
      id,
      queue,
      lane,
      due,
      m.messageId,
      m.type ?? null,
      m.correlationId ?? null,
      m.replyTo ?? null,
      m.contentType,
      m.timestamp,
      headersText(m.headers),
      m.body,
    );
    this.#waiting.insert(entry);
  }

  /** It has left its queue. `withBody`: nothing speaks of it any more. */
  delete(key: Key, withBody: boolean): void {
    this.#waiting.delete(key);
    if (withBody) this.#deleteMessage.run(key.id);
  }

  /** To another place, with other headers. */
  move(from: Key, to: Entry): void {
    this.#waiting.delete(from);
    this.#waiting.insert(to);
    this.#moveMessage.run(to.queue, to.lane, to.due, headersText(to.message.headers), to.id);
  }

  /** Its flags and its losses are others. */
  mark({ flags, losses, queue, lane, due, id }: Entry): void {
    this.flush();
    this.#setFlags.run(flags, losses, queue, lane, due, id);
  }

  /** What is due, in order, behind a key. */
  ready(
    queue: number,
    lane: number,
    after: { due: number; id: number },
    now: number,
    take: (entry: Entry) => boolean,
    isOut: (id: number) => boolean,
  ): void {
    this.flush();
    this.#ready.each(
      (row) => isOut(row[2] as number) || take(toEntry(row, queue)),
      queue,
      lane,
      after.due,
      after.id,
      now,
    );
  }

  /** Infinity: none. */
  nextDue(queue: number, lane: number, after: number): number {
    this.flush();
    return (this.#nextDue.first(queue, lane, after)?.[0] as number | undefined) ?? Number.POSITIVE_INFINITY;
  }

  /** With empty bodies. */
  expired(now: number, take: (entry: Entry) => boolean): void {
    this.flush();
    this.#expired.each((row) => take(withoutBody(row, row[LENGTH_AT + 1] as number)), now);
  }

  nextExpiry(after: number): number {
    this.flush();
    return (this.#nextExpiry.first(after)?.[0] as number | undefined) ?? Number.POSITIVE_INFINITY;
  }

  /** What was stored as ready by a clock that was ahead is ready now. */
  bringBack(queue: number, now: number): void {
    this.flush();
    for (const lane of [0, 1, 2]) {
      for (const command of this.#bringBack) command.run(now, queue, lane, now);
    }
  }

  /** How many are due, handed out ones included, and how many are not; and when the first was due that is not handed out. */
  count(
    queue: number,
    now: number,
    isOut: (id: number) => boolean,
  ): { readonly due: number; readonly delayed: number; readonly oldest: number | undefined } {
    this.flush();
    let due = 0;
    let delayed = 0;
    let oldest: number | undefined;
    for (const lane of [0, 1, 2]) {
      due += this.#countUntil.first(queue, lane, now)?.[0] as number;
      delayed += this.#countAfter.first(queue, lane, now)?.[0] as number;
      this.#keys.each(
        ([at, id]) => {
          if (isOut(id as number)) return true;
          oldest = Math.min(oldest ?? now, at as number);
          return false;
        },
        queue,
        lane,
        now,
      );
    }
    return { due, delayed, oldest };
  }

  at({ queue, lane, due, id }: Key): Entry | undefined {
    this.flush();
    const row = this.#at.first(queue, lane, due, id);
    return row === undefined ? undefined : toEntry(row, queue);
  }

  /** The same with an empty body, however large it is in the file. */
  atWithoutBody({ queue, lane, due, id }: Key): Entry | undefined {
    this.flush();
    const row = this.#atWithoutBody.first(queue, lane, due, id);
    return row === undefined ? undefined : withoutBody(row, queue);
  }
}

function withoutBody(row: Row, queue: number): Entry {
  const entry = toEntry(row, queue);
  entry.isWhole = false;
  entry.bodyBytes = row[LENGTH_AT] as number;
  return entry;
}

function toEntry(row: Row, queue: number): Entry {
  const [lane, due, id, flags, losses, expires] = row as [number, number, number, number, number, number | null];
  const message: WireMessage = toWireMessage(row, MESSAGE_FROM, lane);
  const entry = new Entry(queue, lane, id, message);
  entry.due = due;
  entry.losses = losses;
  entry.isReleased = (flags & RELEASED) !== 0;
  entry.isDelayed = (flags & DELAYED) !== 0;
  entry.expires = expires ?? undefined;
  return entry;
}
