import type { Cancel, Clock } from "../../src/ports/clock.js";
import { Heap } from "./heap.js";
import type { Due, StoredMessage } from "./stored-message.js";

/** When messages become ready or expire. One timer, for the earliest. */
export class DueTimes {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  readonly #heap = new Heap<Due>(
    (a, b) => a.at < b.at || (a.at === b.at && a.order < b.order),
    (due, index) => {
      due.index = index;
    },
  );
  #order = 0;
  #asleep = false;
  #timer: Cancel | undefined;
  #timerAt = 0;

  /** `onDue` is called when the earliest may be due, and is expected to take what is. */
  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#heap.size;
  }

  add(stored: StoredMessage, at: number): void {
    this.#order += 1;
    const due: Due = { stored, at, order: this.#order, index: -1 };
    stored.due = due;
    this.#heap.push(due);
    if (due.index === 0) this.#setTimer();
  }

  remove(stored: StoredMessage): void {
    if (stored.due === undefined) return;
    this.#heap.removeAt(stored.due.index);
    stored.due = undefined;
    // A timer that fires for nothing is cheaper than one that is set anew for each message.
    if (this.#heap.size === 0) this.#clearTimer();
  }

  /** The earliest that is due. With nothing due, sees to it that `onDue` is called in time. */
  takeDue(now: number): StoredMessage | undefined {
    const first = this.#heap.peek();
    if (first === undefined) return undefined;
    if (first.at > now) {
      this.#setTimer();
      return undefined;
    }
    this.#heap.pop();
    first.stored.due = undefined;
    return first.stored;
  }

  /** No timer while nobody is there to notice: it would keep the process alive. */
  sleep(isAsleep: boolean): void {
    this.#asleep = isAsleep;
    if (isAsleep) this.#clearTimer();
    else this.#setTimer();
  }

  clear(): StoredMessage[] {
    this.#clearTimer();
    return this.#heap.clear().map(({ stored }) => stored);
  }

  #setTimer(): void {
    const first = this.#heap.peek();
    if (this.#asleep || first === undefined) return;
    if (this.#timer !== undefined && this.#timerAt <= first.at) return;
    this.#clearTimer();
    this.#timerAt = first.at;
    this.#timer = this.#clock.setTimer(Math.max(0, first.at - this.#clock.now()), () => {
      this.#timer = undefined;
      this.#onDue();
    });
  }

  #clearTimer(): void {
    this.#timer?.();
    this.#timer = undefined;
  }
}
