import { AssertionError } from "node:assert";
import { Stopwatch } from "./stopwatch.js";

/** A timer and the clock that measures it may disagree by a millisecond or two. */
export const CLOCK_GRAIN_MS = 2;

const POLL_MS = 2;
const SHOWN = 12;

/** Waits until the condition holds. When it does not in time, fails with what `describe` says then. */
export async function until(condition: () => boolean, deadlineMs: number, describe: () => string): Promise<void> {
  const watch = new Stopwatch();
  while (!condition()) {
    if (watch.undisturbedMs > deadlineMs) {
      throw new AssertionError({ message: `not within ${Math.round(deadlineMs)} ms: ${describe()}` });
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The promise's outcome; a failure that names `what` when it does not settle in time. */
export async function settlesWithin<T>(promise: PromiseLike<T>, deadlineMs: number, what: string): Promise<T> {
  const watch = new Stopwatch();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const look = (): void => {
      const leftMs = deadlineMs - watch.undisturbedMs;
      if (leftMs > 0) timer = setTimeout(look, leftMs);
      else reject(new AssertionError({ message: `${what} did not settle within ${Math.round(deadlineMs)} ms` }));
    };
    look();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Gathers what happens, and waits for it. */
export class Collector<T> {
  readonly items: T[] = [];
  readonly #what: string;
  readonly #deadlineMs: number;
  readonly #show: (item: T) => string;

  constructor(what: string, deadlineMs: number, show: (item: T) => string) {
    this.#what = what;
    this.#deadlineMs = deadlineMs;
    this.#show = show;
  }

  readonly add = (item: T): void => {
    this.items.push(item);
  };

  /** Resolves once there are at least this many. */
  async count(least: number, extraMs = 0): Promise<readonly T[]> {
    await this.until((items) => items.length >= least, `${least} ${this.#what}`, extraMs);
    return this.items;
  }

  /** The item with this index, once it is there. */
  async at(index: number, extraMs = 0): Promise<T> {
    const item = (await this.count(index + 1, extraMs))[index];
    if (item === undefined) throw new AssertionError({ message: `no item ${index}` });
    return item;
  }

  /** The first item that fits, once it is there. */
  async find(fits: (item: T) => boolean, what: string, extraMs = 0): Promise<T> {
    await this.until((items) => items.some(fits), what, extraMs);
    const item = this.items.find(fits);
    if (item === undefined) throw new AssertionError({ message: `lost: ${what}` });
    return item;
  }

  async until(condition: (items: readonly T[]) => boolean, what: string, extraMs = 0): Promise<void> {
    await until(
      () => condition(this.items),
      this.#deadlineMs + extraMs,
      () => `${what}; ${this}`,
    );
  }

  toString(): string {
    const { items } = this;
    const shown = items.slice(-SHOWN).map((item) => this.#show(item));
    return `seen so far: ${items.length} ${this.#what}${items.length > SHOWN ? ", the last of them" : ""} [${shown.join(", ")}]`;
  }
}

/** A door that handlers wait at. The end of the case opens it, so that no handler hangs on. */
export class Gate {
  readonly #opened: Promise<void>;
  #open: () => void = () => {};

  constructor() {
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open();
  }

  wait(): Promise<void> {
    return this.#opened;
  }
}
