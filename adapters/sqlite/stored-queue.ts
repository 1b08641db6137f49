import type { Entry } from "./entry.js";
import type { MessageTable } from "./message-table.js";
import { ReadyLane } from "./ready-lane.js";

/** Who takes messages of a queue. */
export interface Taker {
  /** How many more it may be given. */
  readonly room: number;
  take(entry: Entry): void;
}

/** What is handed out in one transaction at most. */
const MAX_HANDED_OUT = 1_024;

/** One queue: who takes from it, and what comes next. */
export class StoredQueue {
  readonly id: number;
  readonly name: string;
  readonly lanes: readonly ReadyLane[];
  deadLetterQueue: StoredQueue | undefined;
  /** The file has its name, and that of its dead letters. */
  isStored = false;
  /** It has to be looked at before the next commit. */
  isAwake = false;
  readonly #takers: Taker[] = [];
  #turn = 0;

  constructor(id: number, name: string, messages: MessageTable, isOut: (id: number) => boolean) {
    this.id = id;
    this.name = name;
    this.lanes = [0, 1, 2].map((lane) => new ReadyLane(id, lane, messages, isOut));
  }

  get isTaken(): boolean {
    return this.#takers.length > 0;
  }

  /** When the next that is delayed is due. */
  get nextDue(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const lane of this.lanes) first = Math.min(first, lane.nextDue);
    return first;
  }

  lane(number: number): ReadyLane {
    return this.lanes[number] as ReadyLane;
  }

  join(taker: Taker): void {
    this.#takers.push(taker);
  }

  leave(taker: Taker): void {
    const index = this.#takers.indexOf(taker);
    if (index >= 0) this.#takers.splice(index, 1);
    // With nobody to take it, nothing is kept in memory.
    if (!this.isTaken) this.reset();
  }

  reset(): void {
    for (const lane of this.lanes) lane.reset();
  }

  /**
   * Hands out what is ready, to each in turn. What has expired goes to `expire`. True: there may be more, and somebody
   * has room for it.
   */
  handOut(now: number, expire: (entry: Entry) => void): boolean {
    let room = 0;
    for (const taker of this.#takers) room += Math.max(0, taker.room);
    if (room === 0) return false;
    const most = Math.min(room, MAX_HANDED_OUT);
    const entries: Entry[] = [];
    let isComplete = true;
    for (const lane of this.lanes) {
      // What is less urgent waits for all that is more urgent.
      if (isComplete && entries.length < most) isComplete = lane.collect(entries, most, now);
    }
    let expired = 0;
    for (const entry of entries) {
      if (entry.expires !== undefined && entry.expires <= now) {
        expired += 1;
        expire(entry);
      } else {
        this.#next().take(entry);
      }
    }
    return !isComplete || expired > 0 || (entries.length === most && room > most);
  }

  /** What was stored in this transaction and is not handed out stays in the file. */
  settle(): void {
    for (const lane of this.lanes) lane.settle();
  }

  #next(): Taker {
    for (;;) {
      const taker = this.#takers[this.#turn % this.#takers.length] as Taker;
      this.#turn = (this.#turn + 1) % this.#takers.length;
      if (taker.room > 0) return taker;
    }
  }
}
