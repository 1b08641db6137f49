/**
 * What libraries without flow control make their users write: everything that comes waits here.
 * @template T
 */
export class UnboundedQueue {
  /** @type {(T | undefined)[]} */
  #items = [];
  #taken = 0;
  #isOver = false;
  #wake = () => {};

  push(/** @type {T} */ item) {
    this.#items.push(item);
    this.#wake();
  }

  end() {
    this.#isOver = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator]() {
    for (;;) {
      while (this.#taken < this.#items.length) {
        const item = this.#items[this.#taken];
        this.#items[this.#taken] = undefined;
        this.#taken += 1;
        yield item;
      }
      if (this.#isOver) return;
      this.#items = [];
      this.#taken = 0;
      await new Promise((resolve) => {
        this.#wake = () => resolve(undefined);
      });
    }
  }
}
