/** What a chain keeps in each of its items: an item is in one chain at most. */
export interface Chained<T> {
  before: T | undefined;
  after: T | undefined;
}

/**
 * Items in the order in which they came. Each knows its neighbours, so that one in the middle leaves without a search, and
 * without the garbage that a Set makes of values that come and go.
 */
export class Chain<T extends Chained<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first;
  }

  add(item: T): void {
    const last = this.#last;
    item.before = last;
    if (last === undefined) this.#first = item;
    else last.after = item;
    this.#last = item;
    this.#size += 1;
  }

  /** False: it was not here. */
  remove(item: T): boolean {
    const { before, after } = item;
    if (before === undefined && this.#first !== item) return false;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    item.before = undefined;
    item.after = undefined;
    this.#size -= 1;
    return true;
  }

  /** Those that are here now: what is done with one may take others out. */
  all(): T[] {
    const items: T[] = [];
    for (let item = this.#first; item !== undefined; item = item.after) items.push(item);
    return items;
  }
}
