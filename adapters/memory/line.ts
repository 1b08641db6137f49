import { Ring } from "../../src/util/ring.js";
import type { StoredMessage } from "./stored-message.js";

/** One of those who compete for a queue's messages. */
export interface Competitor {
  /** Whether it may be given another message. */
  readonly hasRoom: boolean;
  /** Kept by the line: whether it waits there. */
  inLine: boolean;
  take(stored: StoredMessage): void;
  /** It is lost, and what it holds goes back. */
  lose(error: unknown): void;
}

/** Those who have room for a message, in the order in which they get one. */
export class Line {
  #waiting = new Ring<Competitor>();

  get size(): number {
    return this.#waiting.size;
  }

  /** To the end of the line, unless it is in it or has no room. Says whether it came in. */
  join(competitor: Competitor): boolean {
    if (competitor.inLine || !competitor.hasRoom) return false;
    competitor.inLine = true;
    this.#waiting.push(competitor);
    return true;
  }

  leave(competitor: Competitor): void {
    if (!competitor.inLine) return;
    competitor.inLine = false;
    const others = new Ring<Competitor>();
    for (const other of this.#waiting) if (other !== competitor) others.push(other);
    this.#waiting = others;
  }

  /** The first that still has room. */
  next(): Competitor | undefined {
    for (;;) {
      const competitor = this.#waiting.shift();
      if (competitor === undefined) return undefined;
      competitor.inLine = false;
      if (competitor.hasRoom) return competitor;
    }
  }
}
