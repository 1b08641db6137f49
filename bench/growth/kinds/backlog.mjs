import { createCount, inParallel, measured } from "../../cells/measure.mjs";
import { product } from "../../cells/product.mjs";
import { percentile } from "../../report/figures.mjs";

const OPERATIONS = 10_000;
const WINDOW = 256;
const PUBLISHED_AT_ONCE = 1_000;
const LIMIT_MS = 8_000;
const BODY = new Uint8Array(100);

/** So many messages wait, while as many are published as are handled. */
export async function run({ driver, size, kept }) {
  const { createMessaging } = await product();
  const messaging = createMessaging({ driver });
  const count = createCount();
  const queue = messaging.queue("bench");
  await messaging.open();
  const before = kept();
  const publish = () => queue.publish({ body: BODY });
  await inParallel({ callers: PUBLISHED_AT_ONCE, operations: size, limitMs: Number.POSITIVE_INFINITY }, publish);
  const keptMegabytes = kept() - before;
  // One that waits is handled for each that is published: a handler waits until a publish lets it go.
  const held = [];
  const waiting = [];
  const handler = async () => {
    await new Promise((resolve) => {
      const next = waiting.shift();
      if (next === undefined) held.push(resolve);
      else next(resolve);
    });
    count.add();
  };
  const letOneGo = async () => {
    const release = held.pop() ?? (await new Promise((resolve) => waiting.push(resolve)));
    release();
  };
  await queue.consume(handler, { concurrency: WINDOW });
  const latencies = [];
  const step = async () => {
    const begunAt = performance.now();
    await publish();
    latencies.push(performance.now() - begunAt);
    await letOneGo();
  };
  const pass = async () => {
    count.restart();
    const published = await inParallel({ callers: WINDOW, operations: OPERATIONS, limitMs: LIMIT_MS }, step);
    await count.untilHandled(published);
    return published;
  };
  await pass();
  latencies.length = 0;
  const outcome = await measured(pass);
  return { ...outcome, keptMegabytes, p99Ms: percentile(latencies, 0.99) };
}
