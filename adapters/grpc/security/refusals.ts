import type { Cancel, Clock } from "../../../src/ports/clock.js";
import type { Observer } from "../../../src/ports/observer.js";

/** A client that was turned away. The texts are ours: nothing that it sent is in them. */
export interface Refusal {
  /** Who it is, where that is known. */
  readonly client: string | undefined;
  /** Its address, without the port. */
  readonly peer: string;
  /** The rpc, or `connection`. */
  readonly what: string;
  readonly reason: string;
}

/** What came within so long after the first is told together. */
const INTERVAL_MS = 10_000;
/** Told at once in each interval, and counted apart in it. The rest is one number. */
const MAX_KINDS = 20;
const OTHERS: Refusal = { client: undefined, peer: "others", what: "calls and connections", reason: "several" };

/** Tells of refused clients, at most some forty times in ten seconds however many there are. */
export class Refusals {
  readonly #observe: Observer;
  readonly #clock: Clock;
  readonly #counts = new Map<string, { readonly refusal: Refusal; count: number }>();
  #others = 0;
  #cancel: Cancel | undefined;
  #isClosed = false;

  constructor({ observe, clock }: { readonly observe: Observer; readonly clock: Clock }) {
    this.#observe = observe;
    this.#clock = clock;
  }

  note(refusal: Refusal): void {
    const { client = "", peer, what, reason } = refusal;
    const key = [client, peer, what, reason].join("\n");
    const known = this.#counts.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.#counts.size >= MAX_KINDS) this.#others += 1;
    else {
      this.#counts.set(key, { refusal, count: 0 });
      this.#observe({ type: "client-refused", ...refusal });
    }
    if (!this.#isClosed) this.#cancel ??= this.#clock.setTimer(INTERVAL_MS, () => this.#tell());
  }

  /** Tells what is not told yet. */
  close(): void {
    this.#isClosed = true;
    this.#tell();
  }

  #tell(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    for (const { refusal, count } of this.#counts.values()) {
      if (count > 0) this.#observe({ type: "client-refused", ...refusal, count });
    }
    if (this.#others > 0) this.#observe({ type: "client-refused", ...OTHERS, count: this.#others });
    this.#counts.clear();
    this.#others = 0;
  }
}
