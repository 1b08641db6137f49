export interface CloseOptions {
  /** How long handlers that run may go on, in milliseconds. Then their signals abort. Default 30,000. */
  readonly drainMs?: number | undefined;
  /** Aborting it ends the drain at once. */
  readonly signal?: AbortSignal | undefined;
}

export interface Closeable extends AsyncDisposable {
  /** Resolves once, never rejects: undefined after a `close()` that was asked for, otherwise the cause. */
  readonly closed: Promise<Error | undefined>;
  /** Stops intake, drains, and resolves when nothing is left. Never rejects. A second call awaits the first. */
  close(options?: CloseOptions): Promise<void>;
}
