import { createCount, measured } from "../cells/measure.mjs";
import { startResponder } from "../cells/start-responder.mjs";
import { queueApiClient } from "../grpc/queue-api-client.mjs";

const SUBSCRIBERS = 4;
/** Handed out before the clock runs: by then every subscriber has shown what it can take. */
const WARM_UP = 0.3;

/** Events that wait are handed to subscribers, each of which acknowledges each event by a call of its own. */
export async function run(_, { subject, operations, directory }) {
  const warmUp = Math.ceil(operations * WARM_UP);
  const all = warmUp + operations;
  const responder = await startResponder({ work: "deliver", subject, settings: { directory, waiting: all } });
  const { subscribe, close } = queueApiClient(responder.ready);
  const count = createCount();
  let acked = 0;
  const onAcked = () => {
    acked += 1;
    count.add();
  };
  const onError = (/** @type {Error} */ error) => {
    // What closing does to the streams is no failure.
    if (acked < all) throw error;
  };
  for (let number = 0; number < SUBSCRIBERS; number += 1) {
    subscribe(`subscriber-${number}`, { onAcked, onError });
  }
  await count.untilHandled(warmUp);
  const before = await responder.state();
  const early = acked;
  const outcome = await measured(async () => {
    await count.untilHandled(all);
    return all - early;
  });
  const after = await responder.state();
  close();
  await responder.end();
  return { ...outcome, serverMicros: (after.cpuMicros - before.cpuMicros) / outcome.operations };
}
