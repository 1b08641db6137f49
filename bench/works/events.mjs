import { measured } from "../cells/measure.mjs";
import { startResponder } from "../cells/start-responder.mjs";
import { runCycles } from "../peers/raw-cycles.mjs";

/** What the server lets one stream have on its way to the broker. */
const WINDOW = 1_000;
const BATCH = 100;

/** One stream of posts of 1 KiB, so many unanswered; each is stored for good when it is answered. */
export async function run({ connect, isRaw }, { subject, operations, limitMs = 8_000, directory }) {
  if (isRaw) return await runCycles({ operations, directory, limitMs });
  const responder = await startResponder({ work: "events", subject, settings: { directory } });
  const { open, close } = await connect(responder.ready);
  const pass = (/** @type {number} */ wanted) =>
    new Promise((resolve, reject) => {
      const endsAt = performance.now() + limitMs;
      let sent = 0;
      let answered = 0;
      let isOver = false;
      const stream = open((/** @type {number} */ more) => {
        answered += more;
        pump();
        if (isOver && answered === sent) resolve(sent);
      }, reject);
      const pump = () => {
        for (; !isOver && sent - answered <= WINDOW - BATCH; sent += BATCH) {
          isOver = sent >= wanted || performance.now() > endsAt;
          if (isOver) break;
          stream.write(BATCH);
        }
        if (isOver) stream.end();
      };
      pump();
    });
  await pass(operations);
  const before = await responder.state();
  const outcome = await measured(() => pass(operations));
  const after = await responder.state();
  close();
  await responder.end();
  return { ...outcome, serverMicros: (after.cpuMicros - before.cpuMicros) / outcome.operations };
}
