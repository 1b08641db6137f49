import type { Limit } from "./limit.js";

interface Waiter {
  readonly bytes: number;
  enter(): void;
}

/**
 * Bounds what is under way, in messages and in bytes; one message always fits. Who finds no room waits in order, within
 * their own limit.
 */
export class Room {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  #messages = 0;
  #bytes = 0;
  readonly #waiters = new Set<Waiter>();
  #onEmpty: (() => void) | undefined;

  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  /** What is under way or waits to be. */
  get size(): number {
    return this.#messages + this.#waiters.size;
  }

  /** True if there was room and nobody waits: it is taken, and must be given back with `leave`. */
  tryEnter(bytes: number): boolean {
    if (this.#waiters.size > 0 || !this.#fits(bytes)) return false;
    this.#messages += 1;
    this.#bytes += bytes;
    return true;
  }

  async enter(bytes: number, limit: Limit): Promise<void> {
    let waiter: Waiter | undefined;
    const entered = new Promise<void>((resolve) => {
      waiter = { bytes, enter: resolve };
      this.#waiters.add(waiter);
    });
    try {
      await limit.race(entered, () => this.leave(bytes));
    } catch (error) {
      if (waiter !== undefined) this.#waiters.delete(waiter);
      this.#tellIfEmpty();
      throw error;
    }
  }

  leave(bytes: number): void {
    this.#messages -= 1;
    this.#bytes -= bytes;
    for (const waiter of this.#waiters) {
      if (!this.#fits(waiter.bytes)) break;
      this.#waiters.delete(waiter);
      this.#messages += 1;
      this.#bytes += waiter.bytes;
      waiter.enter();
    }
    this.#tellIfEmpty();
  }

  /** Resolves when nothing is under way and nobody waits. */
  empty(): Promise<void> {
    if (this.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const before = this.#onEmpty;
      this.#onEmpty = () => {
        before?.();
        resolve();
      };
    });
  }

  #fits(bytes: number): boolean {
    return this.#messages === 0 || (this.#messages < this.#maxMessages && this.#bytes + bytes <= this.#maxBytes);
  }

  #tellIfEmpty(): void {
    if (this.size > 0) return;
    this.#onEmpty?.();
    this.#onEmpty = undefined;
  }
}
