import { runQueue } from "../cells/run-queue.mjs";

/** Publish, confirm, handle, acknowledge, within one process and without a disk. */
export const run = runQueue;
