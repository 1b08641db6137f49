import { EXIT_CODE, type ExitCode } from "./exit-code.js";
import { onStopSignal } from "./stop-signal.js";
import { type SubscriberOrder, SubscriberRun } from "./subscriber-run.js";

/** Receives until there were enough events or a signal comes, and tells the counts. */
export async function subscribe(order: SubscriberOrder): Promise<ExitCode> {
  const stop = onStopSignal();
  const run = new SubscriberRun(order, stop.signal);
  try {
    await run.untilDone();
    process.stderr.write(`${run.summary}\n`);
    return EXIT_CODE.ok;
  } catch (error) {
    if (run.received > 0) process.stderr.write(`${run.summary}\n`);
    throw error;
  } finally {
    stop.dispose();
  }
}
