import type { QueueSpec } from "../../driver/driver.js";

/** The queue of a sink's requests: three lanes, transient, without dead letters. */
export function requestQueue(sink: string): QueueSpec {
  return { name: sink, deadLetterQueue: undefined, lanes: true };
}
