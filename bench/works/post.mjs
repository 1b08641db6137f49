import { inParallel, measured } from "../cells/measure.mjs";
import { startResponder } from "../cells/start-responder.mjs";
import { queueApiClient } from "../grpc/queue-api-client.mjs";
import { percentile } from "../report/figures.mjs";

/** Unary PostEvent over loopback, by the same client whatever serves it. The server's CPU is told apart. */
export async function run(_, { subject, operations, warmUp = operations, callers, limitMs = 8_000, directory }) {
  const responder = await startResponder({ work: "post", subject, settings: { directory } });
  const { post, close } = queueApiClient(responder.ready);
  await inParallel({ callers, operations: warmUp, limitMs }, post);
  const latencies = [];
  const timed = async () => {
    const begunAt = performance.now();
    await post();
    latencies.push(performance.now() - begunAt);
  };
  const before = await responder.state();
  const outcome = await measured(() => inParallel({ callers, operations, limitMs }, timed));
  const after = await responder.state();
  close();
  await responder.end();
  const serverMicros = (after.cpuMicros - before.cpuMicros) / outcome.operations;
  return { ...outcome, serverMicros, p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
}
