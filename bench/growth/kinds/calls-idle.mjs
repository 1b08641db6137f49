import { inParallel, measured } from "../../cells/measure.mjs";
import { product } from "../../cells/product.mjs";
import { percentile } from "../../report/figures.mjs";
import { serveCalls } from "../serve-calls.mjs";

const TIMEOUT_MS = 120_000;
const IDLE_MS = 2_000;
const PROBES = 2_000;
const PROBERS = 4;
const LIMIT_MS = 5_000;
const BEGUN_AT_ONCE = 500;

/** So many calls are open and do nothing, while a few others come and go. */
export async function run({ driver, size, queue, kept }) {
  const { call } = await product();
  const { caller, toHold, call: probe, untilHeld } = await serveCalls({ driver, size, queue });
  const probes = { callers: PROBERS, operations: PROBES, limitMs: LIMIT_MS };
  await inParallel(probes, probe);
  const before = kept();
  const streams = [];
  while (streams.length < size) {
    const count = Math.min(BEGUN_AT_ONCE, size - streams.length);
    for (let begun = 0; begun < count; begun += 1) {
      streams.push(call(caller, { body: toHold }, { timeoutMs: TIMEOUT_MS }));
    }
    await untilHeld(streams.length);
  }
  const keptMegabytes = kept() - before;
  const idleFrom = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const { user, system } = process.cpuUsage(idleFrom);
  /** Milliseconds of CPU in a second in which nothing is called. */
  const idleMillis = (user + system) / IDLE_MS;
  const latencies = [];
  const timed = async () => {
    const begunAt = performance.now();
    await probe();
    latencies.push(performance.now() - begunAt);
  };
  const outcome = await measured(() => inParallel(probes, timed));
  // Without what the open calls cost meanwhile: where few others fit in a second that seems to be theirs.
  const ownMicros = outcome.cpuMicros - (idleMillis * 1_000 * outcome.seconds) / outcome.operations;
  if (ownMicros <= 0)
    throw new Error(`calls cost ${ownMicros} µs beyond ${idleMillis} ms/s of idling: too noisy to tell`);
  return { ...outcome, ownMicros, keptMegabytes, idleMillis, p99Ms: percentile(latencies, 0.99) };
}
