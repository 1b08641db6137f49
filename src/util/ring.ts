const LEAST_SLOTS = 4;
const NONE: undefined[] = [];

/** A first-in, first-out queue that grows by doubling and never shifts. */
export class Ring<T> {
  /** None until the first value: most rings of an idle call stay empty. */
  #slots: (T | undefined)[] = NONE;
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(value: T): void {
    if (this.#size === this.#slots.length) this.#resize(Math.max(LEAST_SLOTS, this.#slots.length * 2));
    this.#slots[(this.#head + this.#size) & (this.#slots.length - 1)] = value;
    this.#size += 1;
  }

  /** Puts a value in front of all others. */
  unshift(value: T): void {
    if (this.#size === this.#slots.length) this.#resize(Math.max(LEAST_SLOTS, this.#slots.length * 2));
    this.#head = (this.#head - 1) & (this.#slots.length - 1);
    this.#slots[this.#head] = value;
    this.#size += 1;
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const value = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#size -= 1;
    // Memory of a burst is given back once the burst is gone.
    if (this.#slots.length > 1024 && this.#size < this.#slots.length / 4) this.#resize(this.#slots.length / 2);
    return value;
  }

  peek(): T | undefined {
    return this.#size === 0 ? undefined : this.#slots[this.#head];
  }

  /** The value with so many before it. */
  at(index: number): T | undefined {
    return index >= 0 && index < this.#size ? this.#slots[(this.#head + index) & (this.#slots.length - 1)] : undefined;
  }

  /** Puts another value in the place of one that is there. */
  replace(index: number, value: T): void {
    if (index >= 0 && index < this.#size) this.#slots[(this.#head + index) & (this.#slots.length - 1)] = value;
  }

  /** Takes a value out, wherever it is; quick for one of the first. False: it is not here. */
  remove(value: T): boolean {
    for (let index = 0; index < this.#size; index += 1) {
      if (this.at(index) !== value) continue;
      // Those before it move up by one, and the first place is free.
      for (let place = index; place > 0; place -= 1) this.replace(place, this.at(place - 1) as T);
      this.shift();
      return true;
    }
    return false;
  }

  clear(): void {
    this.#slots = NONE;
    this.#head = 0;
    this.#size = 0;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let index = 0; index < this.#size; index += 1) {
      yield this.#slots[(this.#head + index) & (this.#slots.length - 1)] as T;
    }
  }

  #resize(length: number): void {
    const slots: (T | undefined)[] = new Array(length);
    for (let index = 0; index < this.#size; index += 1) {
      slots[index] = this.#slots[(this.#head + index) & (this.#slots.length - 1)];
    }
    this.#slots = slots;
    this.#head = 0;
  }
}
