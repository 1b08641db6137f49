/** Hears of the end of a call at its caller's side. */
export interface CallerListener {
  /** Called once, by whomever it was ended: with the reason of the signal, if it aborted. */
  onCallerOver(reason: unknown): void;
}

/** A context whose end can be heard without an AbortSignal, which costs more than all the rest of an idle call. */
export interface WatchedContext {
  /** Nothing is taken any more. */
  readonly isOver: boolean;
  /** Undefined for a call of this process; what tells one that is passed on from all others of the same callId. */
  readonly origin: string | undefined;
  watch(listener: CallerListener): void;
  unwatch(listener: CallerListener): void;
}

/** The signal of one call, made when somebody asks for it. */
export class CallSignal {
  #controller: AbortController | undefined;
  #listener: CallerListener | undefined;
  /** Of a context that was given to several sinks. */
  #others: Set<CallerListener> | undefined;
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

  watch(listener: CallerListener): void {
    if (this.#listener === undefined) this.#listener = listener;
    else {
      this.#others ??= new Set();
      this.#others.add(listener);
    }
  }

  unwatch(listener: CallerListener): void {
    if (this.#listener === listener) this.#listener = undefined;
    else this.#others?.delete(listener);
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
    listener?.onCallerOver(reason);
    for (const other of others ?? []) other.onCallerOver(reason);
  }
}

/** Whether the context takes nothing any more, as far as it tells. */
export function isOver(context: { readonly signal: AbortSignal }): boolean {
  return isWatched(context) ? context.isOver : context.signal.aborted;
}

/** Whether it tells of every end, and not only of those that its signal tells of. */
export function isWatched(context: object): context is WatchedContext {
  return "watch" in context && typeof context.watch === "function";
}
