import { createCount, inParallel, measured } from "../../cells/measure.mjs";
import { product } from "../../cells/product.mjs";
import { createTimedBodies } from "../timed-bodies.mjs";

const MOST_OPERATIONS = 10_000;
const LEAST_OPERATIONS = 100;
const TOTAL_BYTES = 104_857_600;
const WINDOW = 16;
const LIMIT_MS = 8_000;

/** Messages with a body of so many bytes. */
export async function run({ driver, size }) {
  const { createMessaging } = await product();
  const messaging = createMessaging({ driver });
  const count = createCount();
  const bodies = createTimedBodies();
  const queue = messaging.queue("bench");
  await queue.consume(
    async ({ body }) => {
      bodies.take(body);
      count.add();
    },
    { concurrency: WINDOW },
  );
  const operations = Math.min(MOST_OPERATIONS, Math.max(LEAST_OPERATIONS, Math.ceil(TOTAL_BYTES / size)));
  const publish = () => queue.publish({ body: bodies.make(size) });
  const pass = async (/** @type {number} */ wanted) => {
    count.restart();
    const done = await inParallel({ callers: WINDOW, operations: wanted, limitMs: LIMIT_MS }, publish);
    await count.untilHandled(done);
    return done;
  };
  await pass(Math.ceil(operations / 4));
  bodies.forget();
  const outcome = await measured(() => pass(operations));
  return { ...outcome, p99Ms: bodies.p99() };
}
