/** A priority queue whose items know their place, so that any of them can be taken out in logarithmic time. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #isBefore: (a: T, b: T) => boolean;
  readonly #place: (item: T, index: number) => void;

  /** `place` is told each item's index whenever it changes, and -1 when it has left. */
  constructor(isBefore: (a: T, b: T) => boolean, place: (item: T, index: number) => void = () => {}) {
    this.#isBefore = isBefore;
    this.#place = place;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  pop(): T | undefined {
    return this.removeAt(0);
  }

  removeAt(index: number): T | undefined {
    const removed = this.#items[index];
    const last = this.#items.pop();
    if (removed === undefined || last === undefined) return undefined;
    this.#place(removed, -1);
    if (removed !== last) {
      // The last one may belong above or below the gap.
      this.#sink(last, index);
      if (this.#items[index] === last) this.#rise(last, index);
    }
    return removed;
  }

  /** Takes all out, in no order. */
  clear(): T[] {
    const items = this.#items.splice(0);
    for (const item of items) this.#place(item, -1);
    return items;
  }

  #rise(item: T, from: number): void {
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#items[above] as T;
      if (!this.#isBefore(item, parent)) break;
      this.#put(parent, index);
      index = above;
    }
    this.#put(item, index);
  }

  #sink(item: T, from: number): void {
    const { length } = this.#items;
    let index = from;
    for (;;) {
      let below = 2 * index + 1;
      if (below >= length) break;
      const right = below + 1;
      if (right < length && this.#isBefore(this.#items[right] as T, this.#items[below] as T)) below = right;
      const child = this.#items[below] as T;
      if (!this.#isBefore(child, item)) break;
      this.#put(child, index);
      index = below;
    }
    this.#put(item, index);
  }

  #put(item: T, index: number): void {
    this.#items[index] = item;
    this.#place(item, index);
  }
}
