import type { WireMessage, WireSettlement } from "../../src/driver/driver.js";
import type { Broker } from "./broker.js";
import { type Asker, type Lose, Publish, Run, Settle } from "./changes.js";
import type { Entry } from "./entry.js";
import { Confirm, type Group } from "./group-commit.js";
import type { StoredQueue } from "./stored-queue.js";

/** What one connection asks to be written, and what it is told of it. */
export class Writes {
  readonly #broker: Broker;
  readonly #asker: Asker;
  /** What is not committed. */
  readonly #confirms = new Set<Confirm>();
  #group: Group | undefined;
  #confirm = new Confirm();

  constructor(broker: Broker, asker: Asker) {
    this.#broker = broker;
    this.#asker = asker;
  }

  /** `bytes`: what it takes in the file. */
  publish(queue: StoredQueue, message: WireMessage, bytes: number): Promise<void> {
    const { stored, commit } = this.#broker;
    const change = new Publish(stored, this.#asker, queue, message);
    commit.push(this.#join(), change, bytes);
    // With room for all that wait, none is refused, and all of a group may share a promise.
    const hasRoom = commit.mostWaiting < stored.uniqueIds.room;
    if (message.uniqueForMs === undefined || hasRoom) return this.#confirm.stored;
    return this.#confirm.stored.then(() => change.result());
  }

  settle(entry: Entry, settlement: WireSettlement, bytes: number): Promise<boolean> {
    const { stored, commit } = this.#broker;
    commit.push(this.#join(), new Settle(stored, this.#asker, entry, settlement), bytes);
    return this.#confirm.settled;
  }

  /** Runs in the next group's transaction. Rejects when that is not committed, or the connection ends before. */
  async run<T>(run: () => T): Promise<T> {
    const { stored, commit } = this.#broker;
    const change = new Run(stored, this.#asker, run);
    commit.push(this.#join(), change, 0);
    await this.#confirm.stored;
    return change.result();
  }

  /** Nobody is told of it. */
  lose(loss: Lose): void {
    const { commit } = this.#broker;
    commit.push(commit.filling, loss, 0);
  }

  /** Nothing of what is not committed is to happen. */
  fail(error: unknown): void {
    for (const confirm of [...this.#confirms]) confirm.fail(error, false);
  }

  /** The group that is being filled tells this connection what becomes of it. */
  #join(): Group {
    const group = this.#broker.commit.filling;
    if (group === this.#group) return group;
    this.#group = group;
    const confirm = new Confirm(() => this.#confirms.delete(confirm));
    this.#confirm = confirm;
    this.#confirms.add(confirm);
    group.confirms.add(confirm);
    return group;
  }
}
