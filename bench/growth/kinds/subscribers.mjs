import { createCount, inParallel, measured } from "../../cells/measure.mjs";
import { product } from "../../cells/product.mjs";
import { percentile } from "../../report/figures.mjs";

const OPERATIONS = 10_000;
const WINDOW = 64;
const LIMIT_MS = 8_000;
const BODY = new Uint8Array(100);

/** Events, shared among so many subscribers, each acknowledged at once. */
export async function run({ driver, size, kept }) {
  const { createMessaging } = await product();
  const { createEventService } = await product("events");
  const events = createEventService({ messaging: createMessaging({ driver }) });
  const count = createCount();
  const ages = [];
  const sink = {
    async deliver({ ackToken, userToken }) {
      ages.push(performance.now() - Number(userToken));
      void events.ack(ackToken, true).then(count.add);
      return true;
    },
  };
  await events.post({ body: BODY });
  const before = kept();
  const subscriptions = Array.from({ length: size }, (_, number) => events.subscribe(`subscriber-${number}`, sink));
  const keptMegabytes = kept() - before;
  await count.untilHandled(1);
  const post = () => events.post({ body: BODY, userToken: String(performance.now()) });
  const pass = async () => {
    count.restart();
    const done = await inParallel({ callers: WINDOW, operations: OPERATIONS, limitMs: LIMIT_MS }, post);
    await count.untilHandled(done);
    return done;
  };
  await pass();
  ages.length = 0;
  const outcome = await measured(pass);
  if (subscriptions.some(({ state }) => state !== "live")) throw new Error("a subscription was lost");
  return { ...outcome, keptMegabytes, p99Ms: percentile(ages, 0.99) };
}
