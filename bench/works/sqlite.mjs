import { runQueue } from "../cells/run-queue.mjs";
import { runCycles } from "../peers/raw-cycles.mjs";

/** Publish, confirm, handle, acknowledge, each of 1 KiB and durable when it is confirmed. */
export const run = ({ open, isRaw }, settings) => (isRaw ? runCycles(settings) : runQueue({ open }, settings));
