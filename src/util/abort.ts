/** By signal: its one listener of ours, and all that hang on it. Ten thousand may share a signal. */
const listening = new WeakMap<AbortSignal, Set<() => void>>();

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
  const listeners = listening.get(signal) ?? listen(signal);
  // Wrapped, so that one function that listens twice is called twice.
  const entry = (): void => listener();
  listeners.add(entry);
  return () => void listeners.delete(entry);
}

function listen(signal: AbortSignal): Set<() => void> {
  const listeners = new Set<() => void>();
  listening.set(signal, listeners);
  const onAborted = (): void => {
    listening.delete(signal);
    for (const listener of listeners) listener();
    listeners.clear();
  };
  signal.addEventListener("abort", onAborted, { once: true });
  return listeners;
}
