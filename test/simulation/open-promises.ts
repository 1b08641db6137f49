interface OpenPromise {
  readonly process: string;
  readonly promise: string;
}

/** Promises that processes were given, by name, until they settle. */
export class OpenPromises {
  readonly #open = new Set<OpenPromise>();

  track<T>(process: string, name: string, promise: Promise<T>): Promise<T> {
    const open: OpenPromise = { process, promise: name };
    this.#open.add(open);
    const done = (): void => void this.#open.delete(open);
    promise.then(done, done);
    return promise;
  }

  [Symbol.iterator](): Iterator<OpenPromise> {
    return this.#open.values();
  }
}
