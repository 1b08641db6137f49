import { type Entry, isBefore } from "./entry.js";
import type { MessageTable } from "./message-table.js";

/** What one step reads from the file at most: the bodies are in memory. */
const MAX_BYTES = 4 * 1024 * 1024;

const BEGINNING = { due: -1, id: -1 } as const;

/**
 * What comes next in one lane. The file has the whole of it; here is only how far it was handed out, and what came back.
 * A message that is stored while all before it are handed out need not be read again.
 */
export class ReadyLane {
  readonly #queue: number;
  readonly #lane: number;
  readonly #messages: MessageTable;
  readonly #isOut: (id: number) => boolean;
  /** Whatever is before was handed out, or has come back. */
  #after: { readonly due: number; readonly id: number } = BEGINNING;
  /** There may be something ready behind it in the file. */
  #hasMore = true;
  /** When the next that is delayed is due; only with `hasMore` false. */
  #nextDue = Number.POSITIVE_INFINITY;
  /** The first at the end. */
  #returned: Entry[] = [];
  /** Stored in the transaction that is under way, and behind all others. */
  #fresh: Entry[] = [];

  constructor(queue: number, lane: number, messages: MessageTable, isOut: (id: number) => boolean) {
    this.#queue = queue;
    this.#lane = lane;
    this.#messages = messages;
    this.#isOut = isOut;
  }

  get nextDue(): number {
    return this.#nextDue;
  }

  /** The file is to be read anew, from the beginning. Right at any time. */
  reset(): void {
    this.#after = BEGINNING;
    this.#hasMore = true;
    this.#nextDue = Number.POSITIVE_INFINITY;
    this.#returned = [];
    this.#fresh = [];
  }

  /** A message was stored that is ready, behind the others. `isWanted`: somebody may take it at once. */
  addReady(entry: Entry, isWanted: boolean, now: number): void {
    this.#seeDue(now);
    if (isWanted && !this.#hasMore) this.#fresh.push(entry);
    else this.#leaveInFile(entry);
  }

  addDelayed(due: number): void {
    this.#nextDue = Math.min(this.#nextDue, due);
  }

  /** Back to its place. */
  giveBack(entry: Entry): void {
    if (isBefore(this.#after, entry)) {
      // The file is read from before it on.
      this.#hasMore = true;
      return;
    }
    let index = this.#returned.length;
    while (index > 0 && isBefore(this.#returned[index - 1] as Entry, entry)) index -= 1;
    this.#returned.splice(index, 0, entry);
  }

  /** Puts the next ones into `into`, until it has `most`. False: it stopped before, although there may be more. */
  collect(into: Entry[], most: number, now: number): boolean {
    this.#seeDue(now);
    while (into.length < most && this.#returned.length > 0) into.push(this.#returned.pop() as Entry);
    if (into.length >= most) return true;
    if (this.#hasMore) return this.#read(into, most, now);
    const fresh = this.#fresh.splice(0, most - into.length);
    const last = fresh.at(-1);
    if (last === undefined) return true;
    into.push(...fresh);
    if (isBefore(this.#after, last)) this.#after = last;
    return true;
  }

  /** The transaction is about to be committed: what nobody took stays in the file. */
  settle(): void {
    for (const entry of this.#fresh) this.#leaveInFile(entry);
    this.#fresh = [];
  }

  #leaveInFile({ due, id }: Entry): void {
    this.#hasMore = true;
    this.#stepBack(due, id);
  }

  /** What stands here, or behind it, is to be found in the file. */
  #stepBack(due: number, id: number): void {
    const place = { due, id };
    if (isBefore(this.#after, place)) return;
    this.#after = { due, id: id - 1 };
    this.#returned = this.#returned.filter((entry) => isBefore(entry, place));
  }

  /** What is delayed may have become due. */
  #seeDue(now: number): void {
    if (this.#nextDue > now) return;
    this.#hasMore = true;
    this.#stepBack(this.#nextDue, 0);
    this.#nextDue = Number.POSITIVE_INFINITY;
    // They are in the file as well, and behind what has just become due there.
    this.settle();
  }

  #read(into: Entry[], most: number, now: number): boolean {
    let bytes = 0;
    let isComplete = true;
    const take = (entry: Entry): boolean => {
      if (into.length >= most || bytes >= MAX_BYTES) {
        isComplete = false;
        return false;
      }
      bytes += entry.bytes;
      into.push(entry);
      this.#after = { due: entry.due, id: entry.id };
      return true;
    };
    this.#messages.ready(this.#queue, this.#lane, this.#after, now, take, this.#isOut);
    if (isComplete) {
      this.#hasMore = false;
      this.#nextDue = this.#messages.nextDue(this.#queue, this.#lane, now);
    }
    return isComplete || into.length >= most;
  }
}
