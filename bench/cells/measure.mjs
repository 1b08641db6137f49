/**
 * @typedef {object} Measured
 * @property {number} operations done, of those that were wanted
 * @property {number} seconds
 * @property {number} perSecond
 * @property {number} cpuMicros of this process, per operation
 */

/**
 * Runs the work once, and says how long it took and what it cost this process, its garbage collection included. Before it only
 * the young garbage of the warm-up is collected: a full collection while nothing is in flight finds no object of most
 * shapes, and V8 then throws away the code that was compiled for them, which is what the warm-up was for.
 * @param {() => Promise<number>} work resolves with the number of operations that were done
 * @returns {Promise<Measured>}
 */
export async function measured(work) {
  globalThis.gc?.({ type: "minor" });
  const startedAt = performance.now();
  const before = process.cpuUsage();
  const operations = await work();
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - startedAt) / 1_000;
  return { operations, seconds, perSecond: operations / seconds, cpuMicros: (user + system) / operations };
}

/**
 * Callers that each begin their next operation when the last is done, until so many have been begun or the time is over.
 * @param {{ callers: number, operations: number, limitMs: number }} limits
 * @param {() => Promise<unknown>} operate
 * @returns {Promise<number>} how many were done
 */
export async function inParallel({ callers, operations, limitMs }, operate) {
  const endsAt = performance.now() + limitMs;
  let begun = 0;
  const caller = async () => {
    while (begun < operations && performance.now() < endsAt) {
      begun += 1;
      await operate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(callers, operations) }, caller));
  return begun;
}

/**
 * Counts what is handled, and resolves `untilHandled(n)` when n have been since the last `restart`.
 */
export function createCount() {
  let handled = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let onReached = () => {};
  return {
    add() {
      handled += 1;
      if (handled >= wanted) onReached();
    },
    restart() {
      handled = 0;
      wanted = Number.POSITIVE_INFINITY;
    },
    /** @param {number} count */
    async untilHandled(count) {
      wanted = count;
      if (handled >= count) return;
      await new Promise((resolve) => {
        onReached = () => resolve(undefined);
      });
    },
  };
}
