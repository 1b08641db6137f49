import { ServeProcess, type ServeProcessOptions } from "../process/serve-process.js";

/** An event that is not acknowledged in this time is handed out again. */
export const ACK_TIMEOUT_MS = 3_000;
/** So that a run is over in minutes, and no event is given up in it. */
const RETRY_SECONDS = [1, 1, 2, 2, 5, 5, 5, 5, 10, 10, 10, 10];
/** What was refused comes again after this time at the latest. */
export const LONGEST_RETRY_MS = Math.max(...RETRY_SECONDS) * 1_000;
const QUEUE = "fairlead-crash";

/** A server that hands out again soon what was not acknowledged. */
export function createCrashServer(options: Omit<ServeProcessOptions, "flags">): ServeProcess {
  const schedule = RETRY_SECONDS.map((seconds) => `${seconds}s`).join(",");
  const times = ["--ack-timeout-ms", String(ACK_TIMEOUT_MS), "--retry-schedule", schedule];
  return new ServeProcess({ ...options, flags: ["--queue", QUEUE, "--log-level", "warn", ...times] });
}
