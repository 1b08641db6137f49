import type { CheckedSelection } from "../../src/driver/driver.js";
import type { Database, Query, Value } from "./binding.js";
import type { Entry, Key } from "./entry.js";
import { pastStateOf, readHeaders, STATE } from "./mapping.js";
import { headerExpression } from "./schema.js";
import type { StoredQueue } from "./stored-queue.js";

/** What is looked through in one step, so that the event loop has its turn in between. */
const STEP = 1_000;

/** What was found of a message that waits. */
export interface Found extends Key {
  readonly messageId: string;
}

/** What was found in history. */
export interface FoundPast {
  readonly no: number;
  readonly id: number;
  readonly due: number;
  readonly changed: number;
  readonly state: ReturnType<typeof pastStateOf>;
  /** As they were then; undefined: as they are in `messages`. */
  readonly headers: string | undefined;
}

/** Tells whether a message with this id and these headers is selected. */
export type Matcher = (messageId: string, headers: () => Readonly<Record<string, string>>) => boolean;

export function matcherOf({ messageIds, headers = {} }: CheckedSelection): Matcher {
  const ids = messageIds === undefined ? undefined : new Set(messageIds);
  const wanted = Object.entries(headers);
  return (messageId, read) => {
    if (ids !== undefined && !ids.has(messageId)) return false;
    if (wanted.length === 0) return true;
    const has = read();
    return wanted.every(([name, value]) => Object.hasOwn(has, name) && has[name] === value);
  };
}

/** Finds messages by what operators ask for, with an index where there is one, step by step. */
export class Search {
  readonly #database: Database;
  readonly #indexed: readonly string[];
  readonly #queries = new Map<string, Query>();

  constructor(database: Database, indexedHeaders: readonly string[]) {
    this.#database = database;
    this.#indexed = indexedHeaders;
  }

  /** Those that wait, step by step, in the order in which they are due; one after the other for each place to look in. */
  waiting(queue: StoredQueue, selection: CheckedSelection): readonly Generator<readonly Found[]>[] {
    const { headers = {} } = selection;
    const header = this.#indexed.find((name) => Object.hasOwn(headers, name));
    if (header !== undefined) {
      return [this.#steps(this.#headerQuery(header), [headers[header] as string, queue.id], queue, selection)];
    }
    return [0, 1, 2].map((lane) => this.#steps(this.#laneQuery(), [queue.id, lane], queue, selection));
  }

  *#steps(
    query: Query,
    values: readonly Value[],
    queue: StoredQueue,
    selection: CheckedSelection,
  ): Generator<readonly Found[]> {
    const matches = matcherOf(selection);
    const { dueFrom = 0, dueBefore = Number.MAX_SAFE_INTEGER } = selection;
    let after = { due: Math.max(0, Math.ceil(dueFrom)) - 1, id: Number.MAX_SAFE_INTEGER };
    for (;;) {
      const rows = query.all(...values, after.due, after.id, dueBefore, STEP);
      const found: Found[] = [];
      for (const [lane, due, id, messageId, headers] of rows as readonly (readonly [
        number,
        number,
        number,
        string,
        unknown,
      ])[]) {
        if (matches(messageId, () => readHeaders(headers))) found.push({ queue: queue.id, lane, due, id, messageId });
      }
      yield found;
      const last = rows.at(-1);
      if (last === undefined || rows.length < STEP) return;
      after = { due: last[1] as number, id: last[2] as number };
    }
  }

  /** What is over, the newest first. */
  *past(queue: StoredQueue, selection: CheckedSelection): Generator<readonly FoundPast[]> {
    const matches = matcherOf(selection);
    const { dueFrom = Number.NEGATIVE_INFINITY, dueBefore = Number.POSITIVE_INFINITY, headers = {} } = selection;
    const wanted = new Set(selection.states.flatMap((state) => (state in STATE ? [state] : [])));
    const header = this.#indexed.find((name) => Object.hasOwn(headers, name));
    const query = this.#pastQuery(header);
    const values = header === undefined ? [queue.id] : [queue.id, headers[header] as string];
    let before = Number.MAX_SAFE_INTEGER;
    for (;;) {
      const rows = query.all(...values, before, STEP);
      const found: FoundPast[] = [];
      for (const [no, id, due, changed, state, text, messageId, current] of rows) {
        const past: FoundPast = {
          no: no as number,
          id: id as number,
          due: due as number,
          changed: changed as number,
          state: pastStateOf(state),
          headers: (text as string | null) ?? undefined,
        };
        const isInTime = past.due >= dueFrom && past.due < dueBefore;
        if (!isInTime || !wanted.has(past.state)) continue;
        if (matches(messageId as string, () => readHeaders(text ?? current))) found.push(past);
      }
      yield found;
      const last = rows.at(-1);
      if (last === undefined || rows.length < STEP) return;
      before = last[0] as number;
    }
  }

  #laneQuery(): Query {
    return this.#query(
      `SELECT w.lane, w.due, w.id, m.message_id, m.headers FROM waiting w JOIN messages m ON m.id = w.id
       WHERE w.queue = ? AND w.lane = ? AND (w.due, w.id) > (?, ?) AND w.due < ? ORDER BY w.due, w.id LIMIT ?`,
    );
  }

  #headerQuery(name: string): Query {
    return this.#query(
      `SELECT w.lane, w.due, w.id, m.message_id, m.headers FROM messages m
       JOIN waiting w ON w.queue = m.queue AND w.lane = m.lane AND w.due = m.due AND w.id = m.id
       WHERE ${headerExpression(name, "m.")} = ? AND m.queue = ? AND (m.due, m.id) > (?, ?) AND m.due < ?
       ORDER BY m.due, m.id LIMIT ?`,
    );
  }

  #pastQuery(header: string | undefined): Query {
    const among =
      header === undefined
        ? ""
        : `AND h.id IN (SELECT id FROM messages WHERE ${headerExpression(header)} IS NOT NULL AND ${headerExpression(header)} = ?)`;
    return this.#query(
      `SELECT h.no, h.id, h.due, h.changed, h.state, h.headers, m.message_id, m.headers
       FROM history h JOIN messages m ON m.id = h.id WHERE h.queue = ? ${among} AND h.no < ? ORDER BY h.no DESC LIMIT ?`,
    );
  }

  #query(sql: string): Query {
    const present = this.#queries.get(sql);
    if (present !== undefined) return present;
    const made = this.#database.query(sql);
    this.#queries.set(sql, made);
    return made;
  }
}

/** By due time, and among equals in the order in which they were stored. */
export function byDue(a: Pick<Entry, "due" | "id">, b: Pick<Entry, "due" | "id">): number {
  return a.due - b.due || a.id - b.id;
}
