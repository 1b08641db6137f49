import type { NodeId } from "../../ports/broadcast.js";
import type { Cancel, Clock } from "../../ports/clock.js";

/** How long a server may keep the end of a call that has come here. */
const MAX_WAIT_MS = 250;
/** Ends that are told of at the latest together. */
const MAX_ENDS = 256;
/** And what their responses hold. */
const MAX_BYTES = 1024 * 1024;

/** An end that has come. */
export interface EndOf {
  readonly sink: string;
  readonly node: NodeId;
  readonly id: string;
}

/** Calls of one sink on one node whose end has come. */
export interface ClosingOf {
  readonly sink: string;
  readonly node: NodeId;
  readonly ids: ReadonlySet<string>;
}

interface Waiting extends ClosingOf {
  readonly ids: Set<string>;
}

/**
 * Tells servers which calls have come to their end here, so that they keep nothing of them: of many at once, since nobody
 * waits for it. What is lost is asked for again, by an Alive that names the call.
 */
export class ClosingMarks {
  readonly #clock: Clock;
  readonly #send: (closing: ClosingOf) => void;
  readonly #waiting = new Map<string, Waiting>();
  /** To which the last end was added, and mostly the next is. */
  #latest: Waiting | undefined;
  #ends = 0;
  #bytes = 0;
  #timer: Cancel | undefined;

  constructor(clock: Clock, send: (closing: ClosingOf) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  get size(): number {
    return this.#ends;
  }

  /** `bytes`: what its server may still keep of its responses. */
  add({ sink, node, id }: EndOf, bytes = 0): void {
    const latest = this.#latest;
    const closing = latest?.sink === sink && latest.node === node ? latest : this.#of(sink, node);
    this.#latest = closing;
    const { size } = closing.ids;
    closing.ids.add(id);
    this.#ends += closing.ids.size - size;
    this.#bytes += bytes;
    if (this.#ends >= MAX_ENDS || this.#bytes >= MAX_BYTES) this.flush();
    else this.#timer ??= this.#clock.setTimer(MAX_WAIT_MS, () => this.flush());
  }

  #of(sink: string, node: NodeId): Waiting {
    const key = `${node} ${sink}`;
    let closing = this.#waiting.get(key);
    if (closing === undefined) {
      closing = { sink, node, ids: new Set() };
      this.#waiting.set(key, closing);
    }
    return closing;
  }

  flush(): void {
    this.#timer?.();
    this.#timer = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#latest = undefined;
    this.#ends = 0;
    this.#bytes = 0;
    for (const closing of waiting) this.#send(closing);
  }
}
