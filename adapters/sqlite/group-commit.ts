import { type Deferred, deferred } from "../../src/util/deferred.js";
import { Ring } from "../../src/util/ring.js";
import type { Command, Database } from "./binding.js";
import { isBusy, isFromSqlite, isFull } from "./errors.js";

/** Something to be written. */
export interface Change {
  /** False: whoever asked for it is gone, and it is not to happen. */
  readonly isWanted: boolean;
  /** A settlement is tried once more when there is no room for what came with it. */
  readonly isSettlement: boolean;
  apply(): void;
  /** It did not happen, and will not. */
  abandon(): void;
}

/** What one connection is told when a group is committed, or not. All its publishes in the group share a promise. */
export class Confirm {
  readonly #onOver: () => void;
  #stored: Deferred<void> | undefined;
  #settled: Deferred<boolean> | undefined;

  /** `onOver` is called once it is told. */
  constructor(onOver: () => void = () => {}) {
    this.#onOver = onOver;
  }

  get stored(): Promise<void> {
    this.#stored ??= deferred();
    return this.#stored.promise;
  }

  get settled(): Promise<boolean> {
    this.#settled ??= deferred();
    return this.#settled.promise;
  }

  done(): void {
    this.#stored?.resolve();
    this.#settled?.resolve(true);
    this.#onOver();
  }

  fail(error: unknown, isSettled: boolean): void {
    this.#stored?.reject(error);
    this.#settled?.resolve(isSettled);
    this.#onOver();
  }
}

/** Changes that are committed together. */
export class Group {
  readonly changes: Change[] = [];
  readonly confirms = new Set<Confirm>();
  bytes = 0;
}

/** What goes along with the changes. */
export interface GroupWork {
  /** Before a transaction. `canGrow` false: there is no room, so nothing that is not necessary. */
  begin(canGrow: boolean): void;
  /** In the transaction, behind the changes. */
  complete(): void;
  /** The transaction is committed. True: there is more to do, without a change. */
  committed(): boolean;
  /** The transaction was undone, and what is believed of the file with it. */
  undone(): void;
  /** The file cannot be used any more. */
  failed(error: unknown): void;
}

/** A group holds the event loop up for as long as it takes to write it: some milliseconds with these. */
const MAX_CHANGES = 1_024;
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * A group that each turn of the event loop brings something waits for more, since a commit costs as much as fifty changes: up
 * to so many changes, so many turns, and so long. What comes alone waits for one empty turn.
 */
const ENOUGH_CHANGES = 256;
const MOST_TURNS = 16;
const MOST_WAIT_MS = 2;

const FULL_PAUSE_MS = 250;
/** Waiting inside SQLite would hold the event loop up. */
const LOCK_PAUSE_MS = 10;

/**
 * Writes what is asked for in one turn of the event loop in one transaction, in the order in which it was asked for: one
 * wait for the disk for all. Between two groups the loop has its turn.
 */
export class GroupCommit {
  readonly #database: Database;
  readonly #work: GroupWork;
  readonly #lockTimeoutMs: number;
  readonly #begin: Command;
  readonly #commit: Command;
  readonly #rollback: Command;
  readonly #groups = new Ring<Group>();
  #filling: Group | undefined;
  #turn: NodeJS.Immediate | undefined;
  /** What the group had at the end of the last turn that it waited for, how many it has, and since when. */
  #grown = 0;
  #turns = 0;
  #waitingSince = 0;
  #pause: NodeJS.Timeout | undefined;
  /** Another program has the write lock: since when, and when it is tried again. */
  #lockedSince: number | undefined;
  #lockPause: NodeJS.Timeout | undefined;
  /** Who waits until so many groups were written, in the order in which they asked. */
  readonly #onWritten = new Ring<{ readonly written: number; readonly deferred: Deferred<void> }>();
  #written = 0;
  #isStopped = false;
  #isWriting = false;
  /** How often something was committed: for whoever wants to know what is shared. */
  commits = 0;

  constructor(database: Database, work: GroupWork, lockTimeoutMs: number) {
    this.#database = database;
    this.#work = work;
    this.#lockTimeoutMs = lockTimeoutMs;
    this.#begin = database.command("BEGIN IMMEDIATE");
    this.#commit = database.command("COMMIT");
    this.#rollback = database.command("ROLLBACK");
  }

  /** The group that the next change comes into. */
  get filling(): Group {
    const group = this.#filling;
    if (group !== undefined && group.changes.length < MAX_CHANGES && group.bytes < MAX_BYTES) return group;
    this.#filling = new Group();
    this.#groups.push(this.#filling);
    return this.#filling;
  }

  /** Changes that are not written are at most so many. */
  get mostWaiting(): number {
    return this.#groups.size * MAX_CHANGES;
  }

  push(group: Group, change: Change, bytes: number): void {
    group.changes.push(change);
    group.bytes += bytes;
    this.wake();
  }

  /** A group is to be written soon, even if it has no change. */
  wake(): void {
    // What comes up while a group is written is seen to at its end.
    if (this.#isStopped || this.#isWriting || this.#lockPause !== undefined) return;
    this.#turn ??= setImmediate(this.#run);
  }

  /** Resolves when everything that has been asked for is written or refused. What comes later is not waited for. */
  flushed(): Promise<void> {
    const isAwake = this.#isWriting || this.#turn !== undefined || this.#lockPause !== undefined;
    if (this.#isStopped || (!isAwake && this.#groups.size === 0)) return Promise.resolve();
    const left = this.#isWriting ? this.#groups.size + 1 : Math.max(1, this.#groups.size);
    const waiting = { written: this.#written + left, deferred: deferred<void>() };
    this.#onWritten.push(waiting);
    return waiting.deferred.promise;
  }

  /** Writes nothing any more; what waits is refused. */
  stop(error: unknown): void {
    this.#isStopped = true;
    clearImmediate(this.#turn);
    clearTimeout(this.#pause);
    clearTimeout(this.#lockPause);
    for (const group of this.#groups) for (const confirm of group.confirms) confirm.fail(error, false);
    this.#groups.clear();
    for (const { deferred: told } of this.#onWritten) told.resolve();
    this.#onWritten.clear();
  }

  readonly #run = (): void => {
    if (this.#isGrowing) {
      this.#turn = setImmediate(this.#run);
      return;
    }
    this.#turn = undefined;
    this.#grown = 0;
    this.#turns = 0;
    this.#isWriting = true;
    let isMore = false;
    let isLocked = false;
    try {
      const failure = this.#tryToBegin();
      isLocked = isBusy(failure) && this.#waitForLock();
      if (!isLocked) isMore = this.#writeNext(failure);
    } finally {
      this.#isWriting = false;
      if (!isLocked) this.#next(isMore);
    }
  };

  /** The last turn has brought something, so that the next one may. */
  get #isGrowing(): boolean {
    const changes = this.#groups.size === 1 ? (this.#filling?.changes.length ?? 0) : 0;
    if (changes <= this.#grown || changes >= ENOUGH_CHANGES || this.#turns >= MOST_TURNS) return false;
    const now = performance.now();
    if (this.#turns === 0) this.#waitingSince = now;
    else if (now - this.#waitingSince >= MOST_WAIT_MS) return false;
    this.#grown = changes;
    this.#turns += 1;
    return true;
  }

  /** What is in the way of a transaction; undefined: it has begun. */
  #tryToBegin(): unknown {
    try {
      this.#begin.run();
    } catch (error) {
      return error;
    }
    this.#lockedSince = undefined;
    return undefined;
  }

  /** Another program writes to the file. False: it has done so for too long. */
  #waitForLock(): boolean {
    const now = performance.now();
    this.#lockedSince ??= now;
    if (now - this.#lockedSince >= this.#lockTimeoutMs) return false;
    this.#lockPause = setTimeout(() => {
      this.#lockPause = undefined;
      this.#run();
    }, LOCK_PAUSE_MS);
    return true;
  }

  /** In the transaction that has begun, unless that has failed. True: there is more to do, without a change. */
  #writeNext(failure: unknown): boolean {
    const group = this.#groups.shift() ?? new Group();
    if (group === this.#filling) this.#filling = undefined;
    try {
      if (failure !== undefined) throw failure;
      this.#write(group.changes, this.#pause === undefined);
    } catch (error) {
      this.#onFailure(group, error);
      return false;
    }
    for (const confirm of group.confirms) confirm.done();
    return this.#work.committed();
  }

  #write(changes: readonly Change[], canGrow: boolean): void {
    this.#work.begin(canGrow);
    for (const change of changes) if (change.isWanted) change.apply();
    this.#work.complete();
    this.#commit.run();
    this.commits += 1;
  }

  #onFailure(group: Group, error: unknown): void {
    try {
      this.#undo();
      const isSettled = isFull(error) && this.#settleAlone(group);
      for (const change of group.changes) if (!(isSettled && change.isSettlement)) change.abandon();
      for (const confirm of group.confirms) confirm.fail(error, isSettled);
      if (isFull(error)) this.#waitForRoom();
      else if (isFromSqlite(error)) this.#work.failed(error);
    } catch (worse) {
      for (const confirm of group.confirms) confirm.fail(error, false);
      this.#work.failed(worse);
    }
  }

  #undo(): void {
    if (this.#database.inTransaction) this.#rollback.run();
    this.#work.undone();
  }

  /** What is acknowledged makes room. False: there is none for that either. */
  #settleAlone({ changes }: Group): boolean {
    try {
      this.#begin.run();
      this.#write(
        changes.filter(({ isSettlement }) => isSettlement),
        false,
      );
    } catch (error) {
      this.#undo();
      // Somebody may have taken the lock in between.
      if (isFull(error) || isBusy(error)) return false;
      throw error;
    }
    this.#work.committed();
    return true;
  }

  #waitForRoom(): void {
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined;
      this.wake();
    }, FULL_PAUSE_MS);
  }

  #next(isMore: boolean): void {
    if (this.#groups.size > 0 || (isMore && this.#pause === undefined)) this.wake();
    this.#written += 1;
    while ((this.#onWritten.peek()?.written ?? Number.POSITIVE_INFINITY) <= this.#written) {
      this.#onWritten.shift()?.deferred.resolve();
    }
  }
}
