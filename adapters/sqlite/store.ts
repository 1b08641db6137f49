import type {
  CheckedSelection,
  DriverStore,
  QueueSpec,
  StoredMessageView,
  StoredMove,
} from "../../src/driver/driver.js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { Command, Query } from "./binding.js";
import type { Broker } from "./broker.js";
import type { Entry } from "./entry.js";
import { noSuchQueue, selectedTooMuch, toMessagingError } from "./errors.js";
import { MESSAGE_COLUMNS, readHeaders, STATE, toWireMessage } from "./mapping.js";
import { byDue, type Found, type FoundPast, matcherOf, Search } from "./search.js";
import { SearchLine } from "./search-line.js";
import type { StoredQueue } from "./stored-queue.js";

/** The bodies of what was selected are all in memory: the bound that Inspection promises. */
const MAX_BYTES = 64 * 1024 * 1024;
/** What is read or removed in one transaction: the event loop is held up for as long. */
const READ_AT_ONCE = { count: 100, bytes: 4 * 1024 * 1024 };
/** Bodies that are not read, but whose places in the file are freed. */
const REMOVED_AT_ONCE = { count: 500, bytes: 16 * 1024 * 1024 };
/** Where the messages are that an operator has just seen: the next thing that is asked is mostly about one of them. */
const MAX_HINTS = 1_000;

/** One message that waits, looked for without its body. */
const AVAILABLE: CheckedSelection = { states: ["available"], limit: 1, withBodies: false };

type InGroup = <T>(run: () => T) => Promise<T>;

/** What operators ask of a file. */
export class Store implements DriverStore {
  readonly #broker: Broker;
  readonly #inGroup: InGroup;
  readonly #search: Search;
  readonly #line = new SearchLine();
  readonly #past: Query;
  readonly #pastWithoutBody: Query;
  readonly #setBody: Command;
  readonly #hints = new Map<string, Found>();

  /** `inGroup` runs something in the next transaction, so that steps leave the event loop its turns. */
  constructor(broker: Broker, inGroup: InGroup) {
    this.#broker = broker;
    this.#inGroup = inGroup;
    this.#search = new Search(broker.database, broker.indexedHeaders);
    this.#past = broker.database.query(`SELECT ${MESSAGE_COLUMNS.join(", ")}, length(body) FROM messages WHERE id = ?`);
    const bare = MESSAGE_COLUMNS.map((name) => (name === "body" ? "x''" : name)).join(", ");
    this.#pastWithoutBody = broker.database.query(`SELECT ${bare}, length(body) FROM messages WHERE id = ?`);
    this.#setBody = broker.database.command("UPDATE messages SET body = ? WHERE id = ?");
  }

  async browse({ name }: QueueSpec, selection: CheckedSelection): Promise<readonly StoredMessageView[]> {
    const queue = this.#queue(name);
    const { signal, states, limit } = selection;
    const views: StoredMessageView[] = [];
    let bytes = 0;
    const show = async <T>(all: readonly T[], viewOf: (one: T) => StoredMessageView | undefined): Promise<void> => {
      const showOne = (one: T): number | undefined => {
        const view = viewOf(one);
        if (view !== undefined) views.push(view);
        return view?.message.body.byteLength;
      };
      for (let index = 0; index < all.length && views.length < limit && !isAborted(signal); ) {
        const most = { count: Math.min(READ_AT_ONCE.count, limit - views.length), bytes: READ_AT_ONCE.bytes };
        const step = await this.#inGroup(() => oneStep(all, index, most, showOne));
        index = step.next;
        bytes += step.bytes;
        // Not in the group, whose other changes are somebody else's.
        if (bytes > MAX_BYTES) throw selectedTooMuch(MAX_BYTES);
      }
    };
    await show(await this.#find(queue, selection), (one) => this.#viewOf(one, selection));
    if (!states.some((state) => state in STATE)) return views;
    const steps = this.#search.past(queue, selection);
    while (views.length < limit && !isAborted(signal)) {
      const step = await this.#inGroup(() => steps.next());
      if (step.done === true) break;
      await show(step.value, (past) => this.#viewOfPast(past, selection));
    }
    return views;
  }

  async remove({ name }: QueueSpec, selection: CheckedSelection, as: "removed" | "processed"): Promise<number> {
    const queue = this.#queue(name);
    let removed = 0;
    try {
      const found = await this.#find(queue, selection);
      const removeOne = (one: Found): number | undefined => {
        const entry = this.#entryOf(one, { ...selection, withBodies: false });
        if (entry === undefined) return undefined;
        this.#broker.stored.remove(entry, as);
        return entry.bodyBytes;
      };
      for (let index = 0; index < found.length && !isAborted(selection.signal); ) {
        const step = await this.#inGroup(() => {
          const done = oneStep(found, index, REMOVED_AT_ONCE, removeOne);
          this.#broker.stored.readAnew(queue);
          return done;
        });
        index = step.next;
        removed += step.count;
      }
      return removed;
    } catch (error) {
      if (removed === 0) throw error;
      const { code, message } = toMessagingError(error);
      throw new MessagingError(code, `${message} (${removed} had been removed)`, { cause: error });
    }
  }

  async move({ name }: QueueSpec, moves: readonly StoredMove[]): Promise<number> {
    const source = this.#queue(name);
    const { stored } = this.#broker;
    const all = moves.map(({ key, to, headers }) => {
      return { found: key as Found, headers, target: stored.queues.declare(to.name, to.deadLetterQueue) };
    });
    return this.#inGroup(() => {
      const changed = new Set<StoredQueue>();
      let moved = 0;
      for (const { found, headers, target } of all) {
        const entry = found.queue === source.id ? this.#entryOf(found, AVAILABLE) : undefined;
        if (entry === undefined) continue;
        stored.moveTo(entry, target, headers);
        changed.add(source).add(target);
        moved += 1;
      }
      for (const queue of changed) stored.readAnew(queue);
      return moved;
    });
  }

  async update({ name }: QueueSpec, messageId: string, body: Uint8Array): Promise<boolean> {
    const queue = this.#queue(name);
    const selection: CheckedSelection = { ...AVAILABLE, messageIds: [messageId] };
    const [found] = await this.#find(queue, selection);
    if (found === undefined) return false;
    return this.#inGroup(() => {
      if (this.#entryOf(found, selection) === undefined) return false;
      this.#setBody.run(body, found.id);
      this.#broker.stored.readAnew(queue);
      return true;
    });
  }

  /** What waits or is handed out, the one that is due first at first. */
  async #find(queue: StoredQueue, selection: CheckedSelection): Promise<readonly Found[]> {
    const { states, limit, signal, messageIds } = selection;
    const found: Found[] = [];
    if (states.includes("in-processing")) found.push(...this.#handedOut(queue, selection));
    if (states.includes("available")) {
      const hinted = await this.#hinted(queue, selection);
      if (hinted !== undefined) return [hinted];
      const search = (): Promise<readonly Found[]> => this.#waiting(queue, selection);
      const waiting = await (messageIds === undefined ? search() : this.#line.run(signal, search));
      for (const one of waiting) found.push(one);
    }
    return found.sort(byDue).slice(0, limit);
  }

  async #waiting(queue: StoredQueue, selection: CheckedSelection): Promise<readonly Found[]> {
    const { out } = this.#broker.stored;
    const found: Found[] = [];
    for (const steps of this.#search.waiting(queue, selection)) {
      // Of each only as many as can be among the first.
      for (let left = selection.limit; left > 0 && !isAborted(selection.signal); ) {
        const step = await this.#inGroup(() => steps.next());
        if (step.done === true) break;
        const some = step.value.filter(({ id }) => !out.has(id)).slice(0, left);
        left -= some.length;
        for (const one of some) found.push(one);
      }
    }
    return found;
  }

  #handedOut(queue: StoredQueue, selection: CheckedSelection): Found[] {
    const { dueFrom = Number.NEGATIVE_INFINITY, dueBefore = Number.POSITIVE_INFINITY } = selection;
    const matches = matcherOf(selection);
    const found: Found[] = [];
    for (const entry of this.#broker.stored.out.values()) {
      const { message, due, lane, id } = entry;
      if (entry.queue !== queue.id || due < dueFrom || due >= dueBefore) continue;
      if (matches(message.messageId, () => message.headers))
        found.push({ queue: queue.id, lane, due, id, messageId: message.messageId });
    }
    return found;
  }

  /** One that was seen just now is looked for where it was. */
  async #hinted(queue: StoredQueue, selection: CheckedSelection): Promise<Found | undefined> {
    const [messageId, ...others] = selection.messageIds ?? [];
    if (messageId === undefined || others.length > 0 || selection.limit > 1) return undefined;
    const hint = this.#hints.get(messageId);
    if (hint?.queue !== queue.id) return undefined;
    const isThere = await this.#inGroup(() => this.#entryOf(hint, { ...selection, withBodies: false }) !== undefined);
    return isThere ? hint : undefined;
  }

  /** It may have gone, or changed its state, since it was found. */
  #entryOf(
    found: Found,
    { states, dueFrom, dueBefore, withBodies, ...selection }: CheckedSelection,
  ): Entry | undefined {
    const { stored } = this.#broker;
    const held = stored.out.get(found.id);
    if (!states.includes(held === undefined ? "available" : "in-processing")) return undefined;
    const { messages } = stored;
    const entry = held ?? (withBodies === false ? messages.atWithoutBody(found) : messages.at(found));
    if (entry === undefined || entry.queue !== found.queue) return undefined;
    const { message, due } = entry;
    if (due < (dueFrom ?? due) || due >= (dueBefore ?? Number.POSITIVE_INFINITY)) return undefined;
    const matches = matcherOf({ ...selection, states });
    return matches(message.messageId, () => message.headers) ? entry : undefined;
  }

  #viewOf(found: Found, selection: CheckedSelection): StoredMessageView | undefined {
    const entry = this.#entryOf(found, selection);
    if (entry === undefined) return undefined;
    const { message, due: dueAt, holder } = entry;
    const isOut = holder !== undefined;
    if (!isOut) this.#hint(found);
    const changedAt = isOut ? entry.handedOutAt : undefined;
    const { bodyBytes } = entry;
    return { key: found, message, bodyBytes, state: isOut ? "in-processing" : "available", dueAt, changedAt };
  }

  #viewOfPast(
    { id, due, changed, state, headers }: FoundPast,
    { withBodies }: CheckedSelection,
  ): StoredMessageView | undefined {
    const row = (withBodies === false ? this.#pastWithoutBody : this.#past).first(id);
    if (row === undefined) return undefined;
    const current = toWireMessage(row, 0, 1);
    const message = headers === undefined ? current : { ...current, headers: readHeaders(headers) };
    const bodyBytes = row[MESSAGE_COLUMNS.length] as number;
    return { key: undefined, message, bodyBytes, state, dueAt: due, changedAt: changed };
  }

  #hint(found: Found): void {
    this.#hints.delete(found.messageId);
    this.#hints.set(found.messageId, found);
    for (const oldest of this.#hints.keys()) {
      if (this.#hints.size <= MAX_HINTS) return;
      this.#hints.delete(oldest);
    }
  }

  #queue(name: string): StoredQueue {
    const queue = this.#broker.stored.queues.find(name);
    if (queue === undefined) throw noSuchQueue(name);
    return queue;
  }
}

/** Sees to one after the other from an index on, up to so many or so many bytes; `next`: where the next step begins. */
function oneStep<T>(
  all: readonly T[],
  from: number,
  most: { readonly count: number; readonly bytes: number },
  see: (one: T) => number | undefined,
): { readonly next: number; readonly count: number; readonly bytes: number } {
  const end = Math.min(all.length, from + most.count);
  let [next, count, bytes] = [from, 0, 0];
  for (; next < end && bytes < most.bytes; next += 1) {
    const size = see(all[next] as T);
    if (size === undefined) continue;
    count += 1;
    bytes += size;
  }
  return { next, count, bytes };
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
