import type { Clock } from "../ports/clock.js";

/** Resolves with the promise's value, or with undefined once the time is over; rejects as the promise does. */
export function within<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(ms, () => resolve(undefined));
    void promise.then(resolve, reject).then(cancel);
  });
}
