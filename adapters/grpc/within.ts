import type { Clock } from "../../src/ports/clock.js";
import { onAbort } from "../../src/util/abort.js";

/** Resolves when the promise does, the time is over, or the signal aborts. The promise must not reject. */
export function within(clock: Clock, ms: number, promise: Promise<unknown>, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = new AbortController();
    onAbort(over.signal, resolve);
    const done = (): void => over.abort();
    onAbort(over.signal, clock.setTimer(ms, done));
    onAbort(over.signal, onAbort(signal, done));
    void promise.then(done);
  });
}
