import { inParallel, measured } from "../cells/measure.mjs";
import { startResponder } from "../cells/start-responder.mjs";
import { percentile } from "../report/figures.mjs";

const LIMIT_MS = 8_000;

/** One request of 100 B, one response of 100 B, from a server in another process. */
export async function run({ connect }, { subject, url, queue, operations, callers }) {
  const responder = await startResponder({ work: "request", subject, settings: { url, queue } });
  const { call, close } = await connect({ url, queue });
  const body = Buffer.alloc(100, 120);
  // As many as are measured: a server that is not compiled yet costs twice as much.
  await inParallel({ callers, operations, limitMs: LIMIT_MS }, () => call(body));
  const latencies = [];
  const timed = async () => {
    const begunAt = performance.now();
    await call(body);
    latencies.push(performance.now() - begunAt);
  };
  const before = await responder.state();
  const outcome = await measured(() => inParallel({ callers, operations, limitMs: LIMIT_MS }, timed));
  const after = await responder.state();
  await close();
  await responder.end();
  const serverMicros = (after.cpuMicros - before.cpuMicros) / outcome.operations;
  return { ...outcome, serverMicros, p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
}
