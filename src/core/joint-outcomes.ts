/**
 * Waits for what a driver promised, for many items. A driver may answer several with one promise; those that are handed over one
 * after the other with the same one are told together: a wait for each would cost more than everything else about it.
 */
export class JointOutcomes<Item, Value> {
  readonly #onResolved: (item: Item, value: Value) => void;
  readonly #onRejected: (item: Item, error: unknown) => void;
  /** What the last one waits for, until it is told. */
  #promise: Promise<Value> | undefined;
  #items: Item[] = [];

  /** Neither callback may throw: it would keep the others from being told. */
  constructor(onResolved: (item: Item, value: Value) => void, onRejected: (item: Item, error: unknown) => void) {
    this.#onResolved = onResolved;
    this.#onRejected = onRejected;
  }

  /** Calls back once the promise is settled, never before this returns. */
  add(promise: Promise<Value>, item: Item): void {
    if (promise === this.#promise) this.#items.push(item);
    else this.#wait(promise, [item]);
  }

  #wait(promise: Promise<Value>, items: Item[]): void {
    this.#promise = promise;
    this.#items = items;
    promise.then(
      (value) => {
        this.#close(promise);
        for (const item of items) this.#onResolved(item, value);
      },
      (error: unknown) => {
        this.#close(promise);
        for (const item of items) this.#onRejected(item, error);
      },
    );
  }

  /** Whoever comes with this promise from now on waits anew. */
  #close(promise: Promise<Value>): void {
    if (this.#promise !== promise) return;
    this.#promise = undefined;
    this.#items = [];
  }
}
