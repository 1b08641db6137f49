import { MessagingError } from "../../errors/messaging-error.js";
import { type Deferred, deferred } from "../../util/deferred.js";
import { Ring } from "../../util/ring.js";
import { ACCEPTED, OVER } from "./accepted.js";

/** What credit there is, and where the responses go. */
export interface GateOwner<Item> {
  /** How many may wait; one more is refused. */
  readonly maxWaiting: number;
  hasCredit(): boolean;
  /** Hands one on; called only while there is credit. */
  pass(item: Item): void;
  /** A response was refused, and is lost: the call cannot end well any more. */
  onOverflow(error: MessagingError): void;
  /** From none that waits to one, and back. */
  onWaiting(isWaiting: boolean): void;
}

interface Entry<Item> {
  /** Undefined: handed on; only the credit for another is waited for. */
  item: Item | undefined;
  readonly done: Deferred<boolean>;
}

/** The rule of `respond`, at both ends of a call: in order, no further than the credit reaches, every wait ended. */
export class ResponseGate<Item> {
  readonly #owner: GateOwner<Item>;
  readonly #waiting = new Ring<Entry<Item>>();
  #isClosed = false;

  constructor(owner: GateOwner<Item>) {
    this.#owner = owner;
  }

  /** Items that have not been handed on. */
  get held(): number {
    const first = this.#waiting.peek();
    if (first === undefined) return 0;
    return first.item === undefined ? this.#waiting.size - 1 : this.#waiting.size;
  }

  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  offer(item: Item): Promise<boolean> {
    if (this.#isClosed) return OVER;
    const owner = this.#owner;
    const isFree = this.#waiting.size === 0 && owner.hasCredit();
    if (isFree) {
      owner.pass(item);
      if (this.#isClosed) return OVER;
      if (owner.hasCredit()) return ACCEPTED;
    } else if (this.held >= owner.maxWaiting) {
      const text = `respond: ${owner.maxWaiting} responses wait for credit already; await each respond before the next`;
      const error = new MessagingError("REJECTED", text);
      const refused = Promise.reject(error);
      // A sink that does not await is told by the end of its call; it must not end the process.
      refused.catch(() => undefined);
      owner.onOverflow(error);
      return refused;
    }
    const entry = { item: isFree ? undefined : item, done: deferred<boolean>() };
    this.#waiting.push(entry);
    if (this.#waiting.size === 1) owner.onWaiting(true);
    return entry.done.promise;
  }

  /** To be called when there may be more credit. */
  pump(): void {
    const owner = this.#owner;
    for (let entry = this.#waiting.peek(); entry !== undefined; entry = this.#waiting.peek()) {
      if (!owner.hasCredit()) return;
      if (entry.item !== undefined) {
        const { item } = entry;
        entry.item = undefined;
        owner.pass(item);
        if (this.#isClosed || !owner.hasCredit()) return;
      }
      this.#waiting.shift();
      entry.done.resolve(true);
      if (this.#waiting.size === 0) owner.onWaiting(false);
    }
  }

  /** Nothing is handed on any more; who waits is told so. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (let entry = this.#waiting.shift(); entry !== undefined; entry = this.#waiting.shift()) {
      entry.done.resolve(false);
    }
  }
}
