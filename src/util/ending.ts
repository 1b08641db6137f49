/**
 * Something that ends once, with a reason. For what thousands of operations hang on: unlike on an AbortSignal, a listener
 * comes and goes at a constant cost.
 */
export class Ending<Reason> {
  #reason: Reason | undefined;
  #hasEnded = false;
  readonly #listeners = new Set<() => void>();

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Undefined until it has ended. */
  get reason(): Reason | undefined {
    return this.#reason;
  }

  /** Calls every listener. A second call does nothing. */
  end(reason: Reason): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#reason = reason;
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  /** Calls `listener` once when it ends, at once if it has. The returned function takes the listener away. */
  onEnd(listener: () => void): () => void {
    if (this.#hasEnded) {
      listener();
      return () => {};
    }
    // Wrapped, so that one function that listens twice is called twice.
    const entry = (): void => listener();
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }
}
