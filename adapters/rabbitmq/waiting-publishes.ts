import { Ring } from "../../src/util/ring.js";

/** What waits to be sent, in the order of its numbers: what comes back from a channel goes before what has been published since. */
export class WaitingPublishes<T extends { readonly number: number }> {
  readonly #waiting = new Ring<T>();
  #newest = 0;
  #isInOrder = true;

  get size(): number {
    return this.#waiting.size;
  }

  push(publish: T): void {
    if (this.#waiting.size > 0 && publish.number < this.#newest) this.#isInOrder = false;
    else this.#newest = publish.number;
    this.#waiting.push(publish);
  }

  peek(): T | undefined {
    this.#order();
    return this.#waiting.peek();
  }

  shift(): T | undefined {
    this.#order();
    return this.#waiting.shift();
  }

  remove(publish: T): void {
    this.#waiting.remove(publish);
  }

  /** Once for all that came back together. */
  #order(): void {
    if (this.#isInOrder) return;
    this.#isInOrder = true;
    const all = [...this.#waiting].sort((one, other) => one.number - other.number);
    this.#waiting.clear();
    for (const publish of all) this.#waiting.push(publish);
  }
}
