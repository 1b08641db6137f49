import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Database, OpenDatabase } from "./binding.js";
import { Channels } from "./channels.js";
import { gone, hardLinked, inFile } from "./errors.js";
import { FileLock } from "./file-lock.js";
import { GroupCommit, type GroupWork } from "./group-commit.js";
import { Alarm, type MachineClock } from "./machine-clock.js";
import type { ResolvedSqliteOptions } from "./options.js";
import { prepareSchema } from "./schema.js";
import type { StoredDelivery } from "./stored-consumer.js";
import { type Alarms, StoredMessages } from "./stored-messages.js";
import type { StoredQueue } from "./stored-queue.js";
import type { TransientLanes } from "./transient-lanes.js";
import { Turns } from "./turns.js";

/** A connection, as the broker sees it. */
export interface Client {
  lose(error: unknown): void;
}

export interface BrokerParts {
  readonly open: OpenDatabase;
  readonly file: string;
  readonly options: ResolvedSqliteOptions;
  readonly clock: MachineClock;
  readonly lanes: TransientLanes;
  readonly onClosed: () => void;
}

/** What is purged beside each group, so that a full history keeps pace with what comes in. */
const PURGE_PER_GROUP = 2_048;
/** The shortest pause between two purges, so that what grows old message by message does not go message by message. */
const PURGE_PAUSE_MS = 1_000;

/** One file, open. Whoever names it in this process shares it. */
export class Broker implements GroupWork, Alarms {
  readonly file: string;
  readonly commit: GroupCommit;
  readonly stored: StoredMessages;
  readonly channels: Channels;
  readonly lanes: TransientLanes;
  readonly turns = new Turns();
  readonly clock: MachineClock;
  readonly database: Database;
  readonly indexedHeaders: readonly string[];
  readonly #lock: FileLock;
  readonly #onClosed: () => void;
  readonly #clients = new Set<Client>();
  readonly #awake = new Set<StoredQueue>();
  #handedOut: StoredDelivery[] = [];
  readonly #due: Alarm;
  readonly #expiry: Alarm;
  readonly #purge: Alarm;
  #isExpiring = false;
  #isPurging = false;
  #isOpen = true;

  /** Throws what is wrong with the file; then nothing is left open. */
  constructor({ open, file, options, clock, lanes, onClosed }: BrokerParts) {
    this.file = file;
    this.clock = clock;
    this.lanes = lanes;
    this.indexedHeaders = options.indexedHeaders;
    this.#onClosed = onClosed;
    this.channels = new Channels(this.turns);
    this.#due = new Alarm(this.clock, true, () => this.#onDue());
    this.#expiry = new Alarm(this.clock, true, () => this.#onExpiry());
    this.#purge = new Alarm(this.clock, false, () => this.#onPurge());
    try {
      mkdirSync(dirname(file), { recursive: true });
      refuseHardLinks(file);
      this.#lock = FileLock.hold(open, file);
    } catch (error) {
      throw inFile(file, error);
    }
    let database: Database | undefined;
    try {
      database = open(file);
      this.database = database;
      prepareSchema(database, file, options.indexedHeaders);
      this.stored = new StoredMessages(database, options, this.clock, this);
      this.commit = new GroupCommit(database, this, options.lockTimeoutMs);
      database.execute("BEGIN IMMEDIATE");
      this.stored.recover();
      database.execute("COMMIT");
      this.stored.committed();
      // From now on whoever waits for a lock does so without holding the event loop up.
      database.execute("PRAGMA busy_timeout = 0");
    } catch (error) {
      this.#isOpen = false;
      this.#expiry.stop();
      this.#closeFile(database);
      throw inFile(file, error);
    }
    this.#setPurge();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  enter(client: Client): void {
    this.#clients.add(client);
  }

  /** The last one closes the file, once everything that was asked for is written. */
  async leave(client: Client): Promise<void> {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    await this.commit.flushed();
    if (this.#clients.size === 0) this.#close(gone(undefined));
  }

  /** Cuts every connection. The file stays open if somebody comes back at once. */
  loseClients(error: unknown): void {
    for (const client of [...this.#clients]) client.lose(error);
  }

  /** The file cannot be used any more: everything that hangs on it is lost, and a new connection opens it anew. */
  failed(error: unknown): void {
    const cause = inFile(this.file, error);
    const wasOpen = this.#shut(cause);
    // What they had of queues with lanes goes back there, before it is seen what is left of them.
    this.loseClients(cause);
    if (wasOpen) this.#onClosed();
  }

  wake(queue: StoredQueue): void {
    if (!queue.isTaken) return;
    this.#awake.add(queue);
    this.commit.wake();
  }

  expiresAt(at: number): void {
    if (this.#isOpen) this.#expiry.notAfter(at);
  }

  /** It is handed out with the transaction that is under way. */
  hand(delivery: StoredDelivery): void {
    const { entry } = delivery;
    entry.handedOutAt = this.stored.now;
    this.stored.out.set(entry.id, entry);
    this.stored.leases.add(entry);
    this.#handedOut.push(delivery);
  }

  begin(canGrow: boolean): void {
    this.stored.begin(canGrow);
  }

  complete(): void {
    const { leases, history, uniqueIds, messages, out, isShort } = this.stored;
    const now = this.clock.now();
    // Settlements that make room do not wait for what takes some.
    if (this.#isExpiring && !isShort) this.#isExpiring = this.stored.expireDue();
    if (!isShort) this.#handOut(now);
    for (const queue of this.#awake) queue.settle();
    if (!isShort) leases.write(out.values());
    messages.flush();
    this.#isPurging = [history.purge(now, PURGE_PER_GROUP), uniqueIds.purge(now, PURGE_PER_GROUP)].includes(true);
  }

  committed(): boolean {
    this.stored.committed();
    const deliveries = this.#handedOut;
    this.#handedOut = [];
    for (const delivery of deliveries) {
      // It may have been lost or removed by the one before.
      if (delivery.entry.holder === delivery.consumer) this.#deliver(delivery);
    }
    this.#setPurge();
    return this.#awake.size > 0 || this.#isExpiring || this.#isPurging;
  }

  undone(): void {
    for (const { entry } of this.#handedOut) this.stored.takeBack(entry);
    this.stored.undo(new Set(this.#handedOut.map(({ entry }) => entry)));
    this.#handedOut = [];
    this.#isExpiring = true;
    for (const queue of this.stored.queues.all) if (queue.isTaken) this.#awake.add(queue);
  }

  #handOut(now: number): void {
    for (const queue of [...this.#awake]) {
      const isMore = queue.handOut(now, (entry) => this.stored.expire(entry));
      if (!isMore) this.#awake.delete(queue);
      queue.settle();
      // What is due, and nobody has room for, waits for the room and not for a time.
      if (queue.nextDue > now) this.#due.notAfter(queue.nextDue);
    }
  }

  #deliver(delivery: StoredDelivery): void {
    try {
      delivery.consumer.deliver(delivery);
    } catch (error) {
      // Its owner's fault, and nobody else's.
      setImmediate(() => {
        throw error;
      });
    }
  }

  #onDue(): void {
    const now = this.clock.now();
    for (const queue of this.stored.queues.all) {
      if (!queue.isTaken) continue;
      if (queue.nextDue <= now) this.wake(queue);
      else this.#due.notAfter(queue.nextDue);
    }
  }

  #onExpiry(): void {
    this.#isExpiring = true;
    this.commit.wake();
  }

  #onPurge(): void {
    this.#isPurging = true;
    this.commit.wake();
  }

  #setPurge(): void {
    const { history, uniqueIds } = this.stored;
    const at = Math.min(history.nextPurge, uniqueIds.nextPurge);
    if (at < Number.POSITIVE_INFINITY) this.#purge.notAfter(Math.max(at, this.clock.now() + PURGE_PAUSE_MS));
  }

  #close(error: unknown): void {
    if (this.#shut(error)) this.#onClosed();
  }

  /** False: it was closed before. */
  #shut(error: unknown): boolean {
    if (!this.#isOpen) return false;
    this.#isOpen = false;
    for (const alarm of [this.#due, this.#expiry, this.#purge]) alarm.stop();
    this.commit.stop(error);
    this.#closeFile(this.database);
    return true;
  }

  #closeFile(database: Database | undefined): void {
    try {
      database?.close();
    } catch {
      // It is given up; what was committed is in the file.
    }
    this.#lock.release();
  }
}

/** The database has its log beside each of its names: opened by two, it would lose what was confirmed. */
function refuseHardLinks(file: string): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats?.isFile() && stats.nlink > 1) throw hardLinked(file, stats.nlink);
}
