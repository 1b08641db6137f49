import { onAbort } from "../util/abort.js";

/** Waits, or less if the signal aborts. Never rejects. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let forget = (): void => {};
    const timer = setTimeout(() => {
      forget();
      resolve();
    }, ms);
    forget = onAbort(signal, () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
