import { createCount, inParallel, measured } from "../../cells/measure.mjs";
import { product } from "../../cells/product.mjs";
import { createTimedBodies } from "../timed-bodies.mjs";

const OPERATIONS = 10_000;
const WINDOW = 256;
const BODY_BYTES = 100;
const LIMIT_MS = 8_000;

/** The same messages, spread over so many queues, each with a consumer. */
export async function run({ driver, size, kept }) {
  const { createMessaging } = await product();
  const messaging = createMessaging({ driver });
  const count = createCount();
  const bodies = createTimedBodies();
  await messaging.open();
  const before = kept();
  const queues = Array.from({ length: size }, (_, number) => messaging.queue(`queue-${number}`));
  const onDelivery = async ({ body }) => {
    bodies.take(body);
    count.add();
  };
  await Promise.all(queues.map((queue) => queue.consume(onDelivery, { concurrency: Math.ceil(WINDOW / size) })));
  const keptMegabytes = kept() - before;
  let next = 0;
  const publish = async () => {
    next = (next + 1) % size;
    await queues[next].publish({ body: bodies.make(BODY_BYTES) });
  };
  const pass = async () => {
    count.restart();
    const done = await inParallel({ callers: WINDOW, operations: OPERATIONS, limitMs: LIMIT_MS }, publish);
    await count.untilHandled(done);
    return done;
  };
  await pass();
  bodies.forget();
  const outcome = await measured(pass);
  return { ...outcome, keptMegabytes, p99Ms: bodies.p99() };
}
