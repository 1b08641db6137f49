import { createCount, inParallel, measured } from "../cells/measure.mjs";

/** Publishes that are not confirmed at once. */
const WINDOW = 256;
const PREFETCH = 200;
const LIMIT_MS = 8_000;

/**
 * Persistent messages into a durable queue: a message counts when it has been published, confirmed, delivered and
 * acknowledged. Publisher and consumer are one process.
 */
export async function run({ open }, { url, queue, operations, bytes, queueType }) {
  const count = createCount();
  const { publish, close } = await open({ url, queue, queueType, prefetch: PREFETCH, onMessage: count.add });
  const body = Buffer.alloc(bytes, 120);
  const pass = async (/** @type {number} */ wanted) => {
    count.restart();
    const limits = { callers: WINDOW, operations: wanted, limitMs: LIMIT_MS };
    const published = await inParallel(limits, () => publish(body));
    await count.untilHandled(published);
    return published;
  };
  // As many: after a third of them a fifth of the CPU was still V8 compiling what is called for each message.
  await pass(operations);
  const outcome = await measured(() => pass(operations));
  await close();
  return outcome;
}
