import { MessagingError } from "../../src/errors/messaging-error.js";
import type { Command, Database } from "./binding.js";
import { otherDeadLetterQueue } from "./errors.js";
import type { MessageTable } from "./message-table.js";
import { StoredQueue } from "./stored-queue.js";

/** The queues of a file, by name. */
export class QueueTable {
  readonly #messages: MessageTable;
  readonly #isOut: (id: number) => boolean;
  readonly #write: Command;
  readonly #byName = new Map<string, StoredQueue>();
  readonly #byId = new Map<number, StoredQueue>();
  #lastId = 0;

  constructor(database: Database, messages: MessageTable, isOut: (id: number) => boolean) {
    this.#messages = messages;
    this.#isOut = isOut;
    this.#write = database.command("INSERT OR REPLACE INTO queues VALUES (?, ?, ?)");
    const rows = database.query("SELECT id, name, dead_letter_queue FROM queues ORDER BY id").all();
    for (const [id, name] of rows) this.#add(id as number, name as string).isStored = true;
    for (const [, name, dead] of rows) {
      const queue = this.#byName.get(name as string);
      if (queue !== undefined && dead !== null) queue.deadLetterQueue = this.#named(dead as string);
    }
  }

  get all(): Iterable<StoredQueue> {
    return this.#byName.values();
  }

  find(name: string): StoredQueue | undefined {
    return this.#byName.get(name);
  }

  /** The queue of a message. */
  byId(id: number): StoredQueue {
    const queue = this.#byId.get(id);
    if (queue === undefined)
      throw new MessagingError("DATA_LOSS", `sqlite: the file has no queue with the number ${id}`);
    return queue;
  }

  /** The queue, made if need be, with its dead letters. Throws `ALREADY_EXISTS` for another dead-letter queue. */
  declare(name: string, deadLetterQueue: string | undefined): StoredQueue {
    const queue = this.#named(name);
    const present = queue.deadLetterQueue;
    if (deadLetterQueue === undefined || deadLetterQueue === present?.name) return queue;
    if (present !== undefined) throw otherDeadLetterQueue(name, present.name, deadLetterQueue);
    queue.deadLetterQueue = this.#named(deadLetterQueue);
    queue.isStored = false;
    return queue;
  }

  /** In a transaction: the file has it from then on. */
  store(queue: StoredQueue): void {
    if (queue.isStored) return;
    const { id, name, deadLetterQueue } = queue;
    this.#write.run(id, name, deadLetterQueue?.name ?? null);
    queue.isStored = true;
    if (deadLetterQueue !== undefined) this.store(deadLetterQueue);
  }

  /** The transaction was undone: what was stored with it may not be. */
  undo(): void {
    for (const queue of this.all) {
      queue.isStored = false;
      queue.reset();
    }
  }

  #named(name: string): StoredQueue {
    return this.#byName.get(name) ?? this.#add(this.#lastId + 1, name);
  }

  #add(id: number, name: string): StoredQueue {
    const queue = new StoredQueue(id, name, this.#messages, this.#isOut);
    this.#byName.set(name, queue);
    this.#byId.set(id, queue);
    this.#lastId = Math.max(this.#lastId, id);
    return queue;
  }
}
