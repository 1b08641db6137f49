import { Ring } from "../../src/util/ring.js";
import { Heap } from "./heap.js";
import type { StoredMessage } from "./stored-message.js";

/** Below this many, places of the gone are not worth a sweep. */
const SWEEP_FROM = 64;

/**
 * The ready messages of one priority, in order. What comes back takes its old place, which is always before what was
 * never handed out.
 */
export class Lane {
  #fresh = new Ring<StoredMessage>();
  readonly #returned = new Heap<StoredMessage>((a, b) => a.sequence < b.sequence);
  /** How many places are still held by messages that are gone. */
  #gone = 0;

  get size(): number {
    return this.#fresh.size + this.#returned.size - this.#gone;
  }

  push(stored: StoredMessage): void {
    stored.place = "ready";
    this.#fresh.push(stored);
  }

  giveBack(stored: StoredMessage): void {
    stored.place = "ready";
    this.#returned.push(stored);
  }

  /** The one that `take` would return. */
  peek(): StoredMessage | undefined {
    for (;;) {
      const stored = this.#returned.size > 0 ? this.#returned.peek() : this.#fresh.peek();
      if (stored === undefined || stored.place === "ready") return stored;
      if (this.#returned.size > 0) this.#returned.pop();
      else this.#fresh.shift();
      this.#gone -= 1;
    }
  }

  take(): StoredMessage | undefined {
    for (;;) {
      const stored = this.#returned.size > 0 ? this.#returned.pop() : this.#fresh.shift();
      if (stored === undefined || stored.place === "ready") return stored;
      this.#gone -= 1;
    }
  }

  /** A message has left from the middle. Its place is swept away before the gone outnumber the ready. */
  leave(stored: StoredMessage): void {
    stored.leave();
    this.#gone += 1;
    if (this.#gone >= SWEEP_FROM && this.#gone > this.size) this.#sweep();
  }

  /** Takes all out. */
  clear(): StoredMessage[] {
    const all = [...this.#returned.clear(), ...this.#fresh].filter(({ place }) => place === "ready");
    this.#fresh.clear();
    this.#gone = 0;
    return all;
  }

  #sweep(): void {
    const fresh = new Ring<StoredMessage>();
    for (const stored of this.#fresh) if (stored.place === "ready") fresh.push(stored);
    this.#fresh = fresh;
    for (const stored of this.#returned.clear()) if (stored.place === "ready") this.#returned.push(stored);
    this.#gone = 0;
  }
}
