/** A promise with its resolvers outside. Settling it again does nothing. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly settled: boolean;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** A class, because an object literal with a getter is kept as a hash table, at several times the memory. */
class DeferredPromise<T> implements Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
  #settled = false;

  constructor() {
    let resolvePromise: (value: T) => void = () => {};
    let rejectPromise: (error: unknown) => void = () => {};
    this.promise = new Promise<T>((resolve, reject) => {
      resolvePromise = resolve;
      rejectPromise = reject;
    });
    this.resolve = (value) => {
      this.#settled = true;
      resolvePromise(value);
    };
    this.reject = (error) => {
      this.#settled = true;
      rejectPromise(error);
    };
  }

  get settled(): boolean {
    return this.#settled;
  }
}

export function deferred<T>(): Deferred<T> {
  return new DeferredPromise<T>();
}
