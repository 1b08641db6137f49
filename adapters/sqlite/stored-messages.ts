import { deadLetterHeaders } from "../../src/driver/dead-letter-headers.js";
import type { WireMessage, WireSettlement } from "../../src/driver/driver.js";
import { FAILURES_HEADER } from "../../src/driver/reserved-headers.js";
import type { QueueCounts } from "../../src/ports/inspection.js";
import type { MessageHeaders } from "../../src/ports/message.js";
import type { Database, Query } from "./binding.js";
import { Entry, type Holder } from "./entry.js";
import { HistoryTable } from "./history-table.js";
import { LeaseTable } from "./lease-table.js";
import type { MachineClock } from "./machine-clock.js";
import { laneOf, type PastState } from "./mapping.js";
import { MessageTable } from "./message-table.js";
import type { ResolvedSqliteOptions } from "./options.js";
import { QueueTable } from "./queue-table.js";
import type { StoredQueue } from "./stored-queue.js";
import { UniqueIds } from "./unique-ids.js";

/** In one transaction. What has another queue afterwards is written anew with its body. */
const EXPIRED_AT_ONCE = 256;
const EXPIRED_BYTES = 8 * 1024 * 1024;

export interface Alarms {
  /** A queue has something that may be handed out. */
  wake(queue: StoredQueue): void;
  expiresAt(at: number): void;
}

/** What becomes of messages. Everything here happens in a transaction that somebody else begins and commits. */
export class StoredMessages {
  readonly queues: QueueTable;
  readonly messages: MessageTable;
  readonly history: HistoryTable;
  readonly uniqueIds: UniqueIds;
  readonly leases: LeaseTable;
  /** What is handed out and not settled, by id. */
  readonly out = new Map<number, Entry>();
  readonly #clock: MachineClock;
  readonly #alarms: Alarms;
  readonly #rowsChanged: Query;
  /** In the transaction that is under way. */
  #takenBack: { readonly entry: Entry; readonly holder: Holder }[] = [];
  /** There is no room: what is over is not kept. */
  #isShort = false;
  /** Of the transaction that is under way: all in it happens at one time, so that it stands side by side in the file. */
  #now = 0;

  constructor(database: Database, options: ResolvedSqliteOptions, clock: MachineClock, alarms: Alarms) {
    this.#clock = clock;
    this.#alarms = alarms;
    this.#rowsChanged = database.query("SELECT total_changes()");
    this.messages = new MessageTable(database);
    this.history = new HistoryTable(database, options);
    this.uniqueIds = new UniqueIds(database, options.maxUniqueIds);
    this.leases = new LeaseTable(database);
    this.queues = new QueueTable(database, this.messages, (id) => this.out.has(id));
  }

  get isShort(): boolean {
    return this.#isShort;
  }

  /** When the transaction began that is under way, in milliseconds since the epoch. */
  get now(): number {
    return this.#now;
  }

  /** A transaction begins. `canGrow` false: there is no room. */
  begin(canGrow: boolean): void {
    this.#isShort = !canGrow;
    this.#now = this.#clock.now();
  }

  /** What was handed out when the file was left is lost, and ready again. */
  recover(): void {
    this.begin(true);
    for (const key of this.leases.leftOut()) {
      const entry = this.messages.atWithoutBody(key);
      if (entry !== undefined) this.#countLoss(entry, this.#now);
    }
    this.leases.clear();
    for (const queue of this.queues.all) this.messages.bringBack(queue.id, this.#now);
    this.#alarms.expiresAt(this.messages.nextExpiry(-1));
  }

  /** Grows with each row that is changed. */
  get rowsChanged(): unknown {
    this.messages.flush();
    return this.#rowsChanged.first()?.[0];
  }

  /** False: it is refused, since too many ids are remembered. */
  publish(queue: StoredQueue, message: WireMessage): boolean {
    const now = this.#now;
    this.queues.store(queue);
    const { uniqueForMs, delayMs = 0, expiresInMs } = message;
    if (uniqueForMs !== undefined) {
      const outcome = this.uniqueIds.add(queue.id, message.messageId, now + uniqueForMs, now);
      if (outcome !== "added") return outcome === "present";
    }
    const entry = new Entry(queue.id, laneOf(message.priority), this.messages.nextId(), message);
    entry.isDelayed = delayMs > 0;
    // The clock shows a millisecond that has begun already.
    entry.due = entry.isDelayed ? Math.ceil(now + delayMs) + 1 : now;
    if (expiresInMs !== undefined) entry.expires = Math.ceil(now + expiresInMs) + 1;
    this.messages.insert(entry);
    this.#place(entry, queue, now);
    return true;
  }

  settle(entry: Entry, settlement: WireSettlement): void {
    if (!this.takeBack(entry)) return;
    const now = this.#now;
    if (settlement === "ack") {
      this.#leave(entry, "processed", now);
    } else if (settlement === "release") {
      entry.isReleased = true;
      this.messages.mark(entry);
      this.#giveBack(entry);
    } else if ("retryInMs" in settlement) {
      const { retryInMs, headers } = settlement;
      const next = entry.withHeaders(entry.queue, headers);
      next.isDelayed = retryInMs > 0;
      next.due = next.isDelayed ? Math.ceil(now + retryInMs) + 1 : now;
      next.expires = entry.expires;
      this.#move(entry, next, this.queues.byId(entry.queue), now);
    } else {
      this.#deadLetter(entry, settlement.deadLetter, now);
    }
  }

  /** A delivery has ended without a settlement. */
  lose(entry: Entry): void {
    if (!this.takeBack(entry)) return;
    this.#countLoss(entry, this.#now);
    this.#giveBack(entry);
  }

  /** It is not handed out any more. False: it was not, since it was removed. */
  takeBack(entry: Entry): boolean {
    const { holder } = entry;
    if (holder === undefined || !this.out.delete(entry.id)) return false;
    holder.takeOut(entry);
    this.#takenBack.push({ entry, holder });
    return true;
  }

  /** What was to become of it could not be written: whoever had it has it no more, and it comes again. */
  giveUp(entry: Entry): void {
    if (!this.takeBack(entry)) return;
    this.#takenBack.pop();
    this.readAnew(this.queues.byId(entry.queue));
  }

  /** What is kept in memory of a queue may not be true any more. */
  readAnew(queue: StoredQueue): void {
    queue.reset();
    this.#alarms.wake(queue);
  }

  /** An operator takes it out. */
  remove(entry: Entry, as: PastState): void {
    const held = this.out.get(entry.id);
    if (held !== undefined) this.takeBack(held);
    this.#leave(held ?? entry, as, this.#now);
  }

  /** An operator moves what waits, as if it was published there just now. Both queues are to be read anew. */
  moveTo(entry: Entry, queue: StoredQueue, headers: MessageHeaders): void {
    const now = this.#now;
    this.queues.store(queue);
    this.#note(entry, "removed", now);
    const next = entry.withHeaders(queue.id, headers);
    next.due = now;
    this.messages.move(entry, next);
  }

  /** Its time was over before anybody took it. */
  expire(entry: Entry): void {
    const now = this.#now;
    const { name: queue } = this.queues.byId(entry.queue);
    const { headers } = entry.message;
    this.#deadLetter(entry, deadLetterHeaders(headers, { reason: "expired", queue, at: now }), now);
  }

  /** Sees to what has expired while it waited. True: there is more. */
  expireDue(): boolean {
    const now = this.#now;
    const expired: Entry[] = [];
    let isMore = false;
    let bytes = 0;
    const take = (entry: Entry): boolean => {
      if (this.out.has(entry.id)) return true;
      isMore = expired.length === EXPIRED_AT_ONCE || bytes >= EXPIRED_BYTES;
      if (!isMore) expired.push(entry);
      bytes += entry.bytes;
      return !isMore;
    };
    this.messages.expired(now, take);
    for (const entry of expired) {
      // It may have been kept in memory.
      this.readAnew(this.queues.byId(entry.queue));
      this.expire(entry);
    }
    if (!isMore) this.#alarms.expiresAt(this.messages.nextExpiry(now));
    return isMore;
  }

  counts(queue: StoredQueue): QueueCounts {
    const now = this.#now;
    let inProcessing = 0;
    for (const entry of this.out.values()) if (entry.queue === queue.id) inProcessing += 1;
    const { due, delayed, oldest } = this.messages.count(queue.id, now, (id) => this.out.has(id));
    const oldestReadyMs = oldest === undefined ? undefined : Math.max(0, now - oldest);
    return { ready: due - inProcessing, delayed, inProcessing, oldestReadyMs };
  }

  /** The transaction is committed. */
  committed(): void {
    this.#takenBack = [];
    this.history.committed();
    this.uniqueIds.committed();
  }

  /** The transaction was undone: what is believed of the file is read anew. `handedOut`: what was to go out with it. */
  undo(handedOut: ReadonlySet<Entry>): void {
    for (const { entry, holder } of this.#takenBack) {
      if (handedOut.has(entry)) continue;
      holder.keep(entry);
      this.out.set(entry.id, entry);
    }
    this.#takenBack = [];
    this.messages.undo();
    this.queues.undo();
    this.leases.undo();
    this.history.undo();
    this.uniqueIds.undo();
  }

  /** It is in its queue. */
  #place(entry: Entry, queue: StoredQueue, now: number): void {
    const { due } = entry;
    const lane = queue.lane(entry.lane);
    if (entry.expires !== undefined) this.#alarms.expiresAt(entry.expires);
    if (due > now) lane.addDelayed(due);
    else lane.addReady(entry, queue.isTaken && entry.isWhole, now);
    if (queue.isTaken) this.#alarms.wake(queue);
  }

  #giveBack(entry: Entry): void {
    const queue = this.queues.byId(entry.queue);
    this.leases.remove(entry, false);
    if (entry.expires !== undefined) this.#alarms.expiresAt(entry.expires);
    if (queue.isTaken) queue.lane(entry.lane).giveBack(entry);
    else queue.reset();
    this.#alarms.wake(queue);
  }

  #countLoss(entry: Entry, now: number): void {
    this.#note(entry, "reaped", now);
    entry.losses += 1;
    this.messages.mark(entry);
  }

  /** It is over. */
  #leave(entry: Entry, state: PastState, now: number): void {
    this.leases.remove(entry, true);
    const isKept = this.history.isKept && !this.#isShort;
    this.messages.delete(entry, !isKept);
    if (isKept) this.history.end(entry, state, now);
  }

  #deadLetter(entry: Entry, headers: MessageHeaders, now: number): void {
    const queue = this.queues.byId(entry.queue).deadLetterQueue;
    if (queue === undefined) {
      this.#leave(entry, "failed", now);
      return;
    }
    this.queues.store(queue);
    const next = entry.withHeaders(queue.id, headers);
    next.due = now;
    this.#move(entry, next, queue, now);
  }

  #move(from: Entry, to: Entry, queue: StoredQueue, now: number): void {
    // Within one millisecond it may come to stand where it was.
    this.leases.remove(from, from.queue !== to.queue || from.due !== to.due);
    // What was only given back has not failed.
    const isFailure = from.queue !== to.queue || failuresOf(from) !== failuresOf(to);
    if (isFailure) this.#note(from, "failed", now);
    this.messages.move(from, to);
    this.#place(to, queue, now);
  }

  #note(entry: Entry, state: PastState, now: number): void {
    if (!this.#isShort) this.history.note(entry, state, now);
  }
}

function failuresOf({ message }: Entry): string {
  return message.headers[FAILURES_HEADER] ?? "0";
}
