/** A context whose end can be heard without an AbortSignal, which costs more than all the rest of an idle call. */
export interface WatchedContext {
  /** Nothing is taken any more. */
  readonly isOver: boolean;
  /** Undefined for a call of this process; what tells one that is passed on from all others of the same callId. */
  readonly origin: string | undefined;
  /**
   * Calls the listener when the call is over, by whomever: with the reason of the signal, if it aborted. The returned
   * function takes it away.
   */
  onOver(listener: (reason: unknown) => void): () => void;
}

/** The signal of one call, made when somebody asks for it. */
export class CallSignal {
  #controller: AbortController | undefined;
  #listener: ((reason: unknown) => void) | undefined;
  /** Of a context that was given to several sinks. */
  #others: Set<(reason: unknown) => void> | undefined;
  #reason: unknown;
  #isAborted = false;

  get isAborted(): boolean {
    return this.#isAborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isAborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  listen(listener: (reason: unknown) => void): () => void {
    if (this.#listener === undefined) {
      this.#listener = listener;
      return () => {
        if (this.#listener === listener) this.#listener = undefined;
      };
    }
    this.#others ??= new Set();
    this.#others.add(listener);
    return () => void this.#others?.delete(listener);
  }

  abort(reason: unknown): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.over(reason);
  }

  /** The call has ended, in whatever way. */
  over(reason: unknown): void {
    const listener = this.#listener;
    const others = this.#others;
    this.#listener = undefined;
    this.#others = undefined;
    listener?.(reason);
    for (const other of others ?? []) other(reason);
  }
}

/** Calls the listener once when the context's call is over, as far as it tells. The returned function takes it away. */
export function whenOver(context: { readonly signal: AbortSignal }, listener: (reason: unknown) => void): () => void {
  if (isWatched(context)) return context.onOver(listener);
  const { signal } = context;
  const heard = (): void => listener(signal.reason);
  signal.addEventListener("abort", heard, { once: true });
  return () => signal.removeEventListener("abort", heard);
}

/** Whether the context takes nothing any more, as far as it tells. */
export function isOver(context: { readonly signal: AbortSignal }): boolean {
  return isWatched(context) ? context.isOver : context.signal.aborted;
}

/** Whether it tells of every end, and not only of those that its signal tells of. */
export function isWatched(context: object): context is WatchedContext {
  return "onOver" in context && typeof context.onOver === "function";
}
