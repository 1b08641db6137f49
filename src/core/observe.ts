import type { Observation, Observer } from "../ports/observer.js";

/** One observer out of many. What an observer throws is dropped: telling never harms the work. */
export function observeWith(observers: readonly Observer[]): Observer {
  return (observation: Observation) => {
    for (const observer of observers) {
      try {
        observer(observation);
      } catch {
        // Promised by the Observer type.
      }
    }
  };
}
