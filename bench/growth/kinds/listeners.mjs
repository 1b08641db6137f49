import { createCount, measured } from "../../cells/measure.mjs";
import { product } from "../../cells/product.mjs";
import { createTimedBodies } from "../timed-bodies.mjs";

const DELIVERIES = 50_000;
const AT_ONCE = 16;
const BODY_BYTES = 100;
const LIMIT_MS = 8_000;

/** A broadcast to so many listeners: what counts is each delivery. */
export async function run({ driver, size, kept }) {
  const { createMessaging } = await product();
  const messaging = createMessaging({ driver });
  const count = createCount();
  const bodies = createTimedBodies();
  await messaging.open();
  const before = kept();
  const broadcast = messaging.broadcast("bench");
  const onMessage = ({ body }) => {
    bodies.take(body);
    count.add();
  };
  await Promise.all(Array.from({ length: size }, () => broadcast.subscribe(onMessage)));
  const keptMegabytes = kept() - before;
  const publish = () => broadcast.publish({ body: bodies.make(BODY_BYTES) });
  // What a listener has no room for is dropped, so the next ones wait for these.
  const pass = async () => {
    const endsAt = performance.now() + LIMIT_MS;
    let done = 0;
    while (done < DELIVERIES && performance.now() < endsAt) {
      count.restart();
      await Promise.all(Array.from({ length: AT_ONCE }, publish));
      await count.untilHandled(AT_ONCE * size);
      done += AT_ONCE * size;
    }
    return done;
  };
  await pass();
  bodies.forget();
  const outcome = await measured(pass);
  return { ...outcome, keptMegabytes, p99Ms: bodies.p99() };
}
