/**
 * Calls `listener` once when the signal aborts, at once if it has. The returned function takes the listener away, which
 * whoever waits must do: a long-lived signal would otherwise gather listeners.
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) {
    listener();
    return () => {};
  }
  signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}
