import type { MessagingError } from "../../src/errors/messaging-error.js";
import { type Deferred, deferred } from "../../src/util/deferred.js";
import { Hop, type Pace } from "./hop.js";
import { type Part, SHARE } from "./turns.js";

const HAS_ROOM = Promise.resolve();

/** Tells publishers that the broker has their messages. What is taken in one turn of the event loop shares a promise. */
export class Confirms implements Part {
  awake = false;
  readonly #pace: Pace;
  readonly #hop: Hop<Deferred<void>>;
  #shared: Deferred<void> | undefined;
  /** Frames since a sender had to wait. */
  #frames = 0;

  constructor(pace: Pace) {
    this.#pace = pace;
    this.#hop = new Hop(pace, (done) => done.resolve());
  }

  /** The confirm of a message that was taken just now. Not for connections with latency. */
  next(): Promise<void> {
    if (this.#shared === undefined) {
      this.#shared = deferred<void>();
      this.#pace.turns.wake(this);
    }
    return this.#shared.promise;
  }

  /**
   * For a frame, which needs no confirm, only room. Nearly always there is; now and then its sender waits for the next
   * turn of the event loop, or one who never pauses would keep everything else from ever having one.
   */
  room(): Promise<void> {
    this.#frames += 1;
    return this.#frames < SHARE ? HAS_ROOM : this.next();
  }

  /** Confirms one message by itself, when the confirm has travelled. */
  send(done: Deferred<void>): void {
    this.#hop.push(done);
  }

  move(): boolean {
    this.#frames = 0;
    this.#shared?.resolve();
    this.#shared = undefined;
    return false;
  }

  /** Confirms all that wait. */
  flush(): void {
    this.move();
    this.#hop.flush();
  }

  /** Refuses all that wait. */
  fail(error: MessagingError): void {
    this.#shared?.reject(error);
    this.#shared = undefined;
    for (const done of this.#hop.clear()) done.reject(error);
  }
}
