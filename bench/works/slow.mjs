import { setTimeout as delay } from "node:timers/promises";
import { rssMegabytes } from "../cells/machine.mjs";
import { measured } from "../cells/measure.mjs";
import { startResponder } from "../cells/start-responder.mjs";

const SAMPLE_MS = 100;
const PAUSE_MS = 1;
const WARM_UP = 2_000;

/**
 * A reader that takes 1 ms for each response of a stream that would need minutes; stopped after a while. Says by how many
 * megabytes each process had grown at most.
 */
export async function run({ connect }, { subject, url, queue, bytes, responses, seconds, brokerPid }) {
  const settings = { url, queue, bytes };
  const responder = await startResponder({ work: "stream", subject, settings });
  const { stream } = await connect(settings);
  for await (const _ of stream(WARM_UP));
  globalThis.gc?.();
  const pids = [process.pid, responder.pid, brokerPid];
  const before = pids.map(rssMegabytes);
  const peak = [...before];
  const sampling = setInterval(() => {
    for (const [index, size] of pids.map(rssMegabytes).entries()) {
      if (size !== undefined) peak[index] = Math.max(peak[index], size);
    }
  }, SAMPLE_MS);
  const endsAt = performance.now() + seconds * 1_000;
  const cpuBefore = await responder.state();
  const outcome = await measured(async () => {
    let taken = 0;
    for await (const _ of stream(responses)) {
      taken += 1;
      await delay(PAUSE_MS);
      if (performance.now() > endsAt) return taken;
    }
    throw new Error(`the stream ended after ${taken} of ${responses} responses, before its time was over`);
  });
  const cpuAfter = await responder.state();
  clearInterval(sampling);
  await responder.end();
  const [clientMegabytes, serverMegabytes, brokerMegabytes] = peak.map((size, index) => size - before[index]);
  return {
    ...outcome,
    serverMicros: (cpuAfter.cpuMicros - cpuBefore.cpuMicros) / outcome.operations,
    clientMegabytes,
    serverMegabytes,
    brokerMegabytes,
    megabytes: clientMegabytes + serverMegabytes,
  };
}
