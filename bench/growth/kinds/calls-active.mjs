import { inParallel, measured } from "../../cells/measure.mjs";
import { percentile } from "../../report/figures.mjs";
import { serveCalls } from "../serve-calls.mjs";

const OPERATIONS = 10_000;
const LIMIT_MS = 8_000;
const KILOBYTES_PER_MEGABYTE = 1_024;

/** So many callers, each of which calls again as soon as it has its answer. */
export async function run({ driver, size, queue }) {
  const { call } = await serveCalls({ driver, size, queue });
  const limits = { callers: size, operations: Math.max(OPERATIONS, size), limitMs: LIMIT_MS };
  await inParallel(limits, call);
  const latencies = [];
  const timed = async () => {
    const begunAt = performance.now();
    await call();
    latencies.push(performance.now() - begunAt);
  };
  const outcome = await measured(() => inParallel({ ...limits, operations: 2 * limits.operations }, timed));
  const peakMegabytes = process.resourceUsage().maxRSS / KILOBYTES_PER_MEGABYTE;
  return { ...outcome, peakMegabytes, p99Ms: percentile(latencies, 0.99) };
}
