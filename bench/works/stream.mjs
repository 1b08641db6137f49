import { inParallel, measured } from "../cells/measure.mjs";
import { startResponder } from "../cells/start-responder.mjs";
import { median } from "../report/figures.mjs";

const LIMIT_MS = 8_000;

/** Streams of so many responses each, so many at once, from a server in another process; an operation is a response. */
export async function run({ connect }, { subject, url, queue, bytes, responses, callers, streams }) {
  const settings = { url, queue, bytes };
  const responder = await startResponder({ work: "stream", subject, settings });
  const { stream, close } = await connect(settings);
  let firsts = [];
  const read = async () => {
    const begunAt = performance.now();
    let received = 0;
    for await (const _ of stream(responses)) {
      received += 1;
      if (received === 1) firsts.push(performance.now() - begunAt);
    }
    if (received !== responses) throw new Error(`${received} of ${responses} responses`);
  };
  const pass = async (/** @type {number} */ operations) =>
    (await inParallel({ callers, operations, limitMs: LIMIT_MS }, read)) * responses;
  await pass(streams);
  firsts = [];
  const before = await responder.state();
  const outcome = await measured(() => pass(streams));
  const after = await responder.state();
  await close();
  await responder.end();
  const serverMicros = (after.cpuMicros - before.cpuMicros) / outcome.operations;
  return { ...outcome, serverMicros, firstMs: median(firsts) };
}
