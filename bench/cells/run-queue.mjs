import { createCount, inParallel, measured } from "./measure.mjs";

/** Publishes that are not confirmed at once, and handlers that run at once. */
const WINDOW = 256;
const LIMIT_MS = 8_000;

/**
 * A message counts when it has been published, confirmed and handled, and its acknowledgement has made room for the next.
 * @param {{ open: (settings: Record<string, unknown>) => Promise<{ publish(): Promise<void>, close(): Promise<void> }> }} subject
 * @param {{ operations: number, warmUp?: number, limitMs?: number, directory: string }} settings
 */
export async function runQueue({ open }, { operations, warmUp = operations, limitMs = LIMIT_MS, ...settings }) {
  const count = createCount();
  const { publish, close } = await open({ ...settings, window: WINDOW, onMessage: count.add });
  const pass = async (/** @type {number} */ wanted) => {
    count.restart();
    const done = await inParallel({ callers: WINDOW, operations: wanted, limitMs }, publish);
    await count.untilHandled(done);
    return done;
  };
  await pass(warmUp);
  const outcome = await measured(() => pass(operations));
  await close();
  return outcome;
}
