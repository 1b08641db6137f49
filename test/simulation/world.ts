import type { Cancel, Clock } from "../../src/ports/clock.js";

/** Something that happens at a time. */
interface Happening {
  readonly at: number;
  /** Of equal times. Equal orders, too, happen as they were asked for. */
  readonly order: number;
  readonly number: number;
  /** Undefined: called off. */
  action: (() => void) | undefined;
}

/** Turns of the event loop that are asked for at once: one of them each costs a round of the loop. */
const BATCH = 64;

/** 2020-09-13T12:26:40Z: a time as an epoch clock shows it. */
const START = 1_600_000_000_000;

/** Something went on for so long that it will not end by itself. */
export class WorldStuck extends Error {
  override readonly name = "WorldStuck";
}

/**
 * The one owner of time. Nothing waits really: the clock jumps to what happens next. Between two happenings every promise
 * that can settle does: each happens in an immediate of its own, and Node empties its microtasks between two of them.
 */
export class World {
  #now = START;
  #order = 0;
  #happenings = 0;
  #failure: { readonly error: unknown } | undefined;
  readonly #heap: Happening[] = [];
  readonly #maxHappenings: number;
  readonly #shuffle: () => number;

  /**
   * A run that needs more happenings than this is stuck in a loop. `shuffle` says how many others, asked for later, may
   * come before one that is due at the same time: on a real machine, too, such an order is chance.
   */
  constructor(maxHappenings: number, shuffle: () => number = () => 0) {
    this.#maxHappenings = maxHappenings;
    this.#shuffle = shuffle;
  }

  /** Milliseconds since the world began. */
  get elapsedMs(): number {
    return this.#now - START;
  }

  get now(): number {
    return this.#now;
  }

  get happenings(): number {
    return this.#happenings;
  }

  /** Calls `action` once, `ms` milliseconds from now. */
  after(ms: number, action: () => void): Cancel {
    const happening = this.#add(ms, this.#shuffle(), action);
    return () => {
      happening.action = undefined;
    };
  }

  /** As `after`, for what takes longer: the run rejects if it does. */
  begin(ms: number, action: () => Promise<void>): void {
    this.after(ms, () => {
      action().catch((error: unknown) => {
        this.#failure ??= { error };
      });
    });
  }

  /** Calls `run` now, after all that was scheduled before. */
  readonly schedule = (run: () => void): void => {
    this.#add(0, 0, run);
  };

  /** Lets things happen until `isOver` says so, or nothing is left to happen. Rejects with what an action throws. */
  run(isOver: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let left = 0;
      let hasEnded = false;
      const end = (settle: () => void): void => {
        if (hasEnded) return;
        hasEnded = true;
        settle();
      };
      const turn = (): void => {
        left -= 1;
        if (hasEnded) return;
        try {
          if (isOver() || !this.#step()) end(resolve);
          else if (left === 0) ask();
        } catch (error) {
          end(() => reject(error));
        }
      };
      const ask = (): void => {
        left = BATCH;
        for (let index = 0; index < BATCH; index += 1) setImmediate(turn);
      };
      ask();
    });
  }

  #add(ms: number, later: number, action: () => void): Happening {
    this.#order += 1;
    const at = this.#now + Math.max(0, Math.ceil(ms));
    const happening: Happening = { at, order: this.#order + later, number: this.#order, action };
    push(this.#heap, happening);
    return happening;
  }

  #step(): boolean {
    if (this.#failure !== undefined) throw this.#failure.error;
    let happening = pop(this.#heap);
    while (happening !== undefined && happening.action === undefined) happening = pop(this.#heap);
    if (happening === undefined) return false;
    this.#now = happening.at;
    this.#happenings += 1;
    if (this.#happenings > this.#maxHappenings) {
      throw new WorldStuck(`no end after ${this.#maxHappenings} happenings and ${this.elapsedMs} ms`);
    }
    const { action } = happening;
    happening.action = undefined;
    action?.();
    return true;
  }
}

/** A process's clock: it stops with the process, and what it had set never fires. */
export class ProcessClock implements Clock {
  readonly #world: World;
  #isStopped = false;
  #pending = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Timers that have neither fired nor been cancelled. */
  get pending(): number {
    return this.#pending;
  }

  now(): number {
    return this.#world.now;
  }

  setTimer(ms: number, action: () => void): Cancel {
    if (this.#isStopped) return () => {};
    let isPending = true;
    this.#pending += 1;
    const done = (): void => {
      if (isPending) this.#pending -= 1;
      isPending = false;
    };
    const cancel = this.#world.after(ms, () => {
      if (this.#isStopped) return;
      done();
      action();
    });
    return () => {
      done();
      cancel();
    };
  }

  /** Resolves after so many milliseconds; never, if the process ends before. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.setTimer(ms, resolve);
    });
  }

  stop(): void {
    this.#isStopped = true;
  }
}

function isBefore(one: Happening, other: Happening): boolean {
  if (one.at !== other.at) return one.at < other.at;
  return one.order < other.order || (one.order === other.order && one.number < other.number);
}

function push(heap: Happening[], happening: Happening): void {
  let index = heap.length;
  heap.push(happening);
  while (index > 0) {
    const above = (index - 1) >> 1;
    const parent = heap[above] as Happening;
    if (!isBefore(happening, parent)) break;
    heap[index] = parent;
    index = above;
  }
  heap[index] = happening;
}

function pop(heap: Happening[]): Happening | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || first === last) return first;
  const { length } = heap;
  let index = 0;
  for (;;) {
    let below = 2 * index + 1;
    if (below >= length) break;
    const right = below + 1;
    if (right < length && isBefore(heap[right] as Happening, heap[below] as Happening)) below = right;
    const child = heap[below] as Happening;
    if (!isBefore(child, last)) break;
    heap[index] = child;
    index = below;
  }
  heap[index] = last;
  return first;
}
