import type { WireMessage, WireSettlement } from "../../src/driver/driver.js";
import type { Entry } from "./entry.js";
import { isFromSqlite, tooManyUniqueIds } from "./errors.js";
import type { Change } from "./group-commit.js";
import type { StoredMessages } from "./stored-messages.js";
import type { StoredQueue } from "./stored-queue.js";

/** Who asked for a change. */
export interface Asker {
  /** False: it is lost, and what it asked for is not to happen. */
  readonly isLive: boolean;
}

export class Publish implements Change {
  readonly isSettlement = false;
  readonly #stored: StoredMessages;
  readonly #asker: Asker;
  readonly #queue: StoredQueue;
  readonly #message: WireMessage;
  #isRefused = false;

  constructor(stored: StoredMessages, asker: Asker, queue: StoredQueue, message: WireMessage) {
    this.#stored = stored;
    this.#asker = asker;
    this.#queue = queue;
    this.#message = message;
  }

  get isWanted(): boolean {
    return this.#asker.isLive;
  }

  apply(): void {
    this.#isRefused = !this.#stored.publish(this.#queue, this.#message);
  }

  abandon(): void {}

  /** Of a change that was committed. Throws `REJECTED` when it alone was refused. */
  result(): void {
    if (this.#isRefused) throw tooManyUniqueIds(this.#stored.uniqueIds.size);
  }
}

export class Settle implements Change {
  readonly isSettlement = true;
  readonly #stored: StoredMessages;
  readonly #asker: Asker;
  readonly #entry: Entry;
  readonly #settlement: WireSettlement;

  constructor(stored: StoredMessages, asker: Asker, entry: Entry, settlement: WireSettlement) {
    this.#stored = stored;
    this.#asker = asker;
    this.#entry = entry;
    this.#settlement = settlement;
  }

  get isWanted(): boolean {
    return this.#asker.isLive;
  }

  apply(): void {
    this.#stored.settle(this.#entry, this.#settlement);
  }

  abandon(): void {
    this.#stored.giveUp(this.#entry);
  }
}

/** A delivery has ended without a settlement. */
export class Lose implements Change {
  readonly isSettlement = false;
  readonly isWanted = true;
  readonly #stored: StoredMessages;
  readonly #entry: Entry;

  constructor(stored: StoredMessages, entry: Entry) {
    this.#stored = stored;
    this.#entry = entry;
  }

  apply(): void {
    this.#stored.lose(this.#entry);
  }

  abandon(): void {
    this.#stored.giveUp(this.#entry);
  }
}

/**
 * Anything else that is to happen in a transaction. What goes wrong in it before it has changed anything is told to
 * whoever asked, and to nobody else.
 */
export class Run<T> implements Change {
  readonly isSettlement = false;
  readonly #asker: Asker;
  readonly #stored: StoredMessages;
  readonly #run: () => T;
  #result: { readonly value: T } | { readonly error: unknown } | undefined;

  constructor(stored: StoredMessages, asker: Asker, run: () => T) {
    this.#stored = stored;
    this.#asker = asker;
    this.#run = run;
  }

  get isWanted(): boolean {
    return this.#asker.isLive;
  }

  apply(): void {
    const before = this.#stored.rowsChanged;
    try {
      this.#result = { value: this.#run() };
    } catch (error) {
      // Half a change is undone, and everything beside it.
      if (isFromSqlite(error) || this.#stored.rowsChanged !== before) throw error;
      this.#result = { error };
    }
  }

  abandon(): void {}

  /** Of a change that was committed. */
  result(): T {
    if (this.#result === undefined) throw new Error("what was asked for did not happen");
    if ("error" in this.#result) throw this.#result.error;
    return this.#result.value;
  }
}
