import type { QueueSpec } from "../../src/driver/driver.js";
import type { Priority } from "../../src/ports/message.js";

/** A queue as the broker has it. A queue with lanes is three of them. */
export interface BrokerQueue {
  readonly name: string;
  readonly deadLetterQueue: string | undefined;
  readonly isLane: boolean;
}

export function brokerQueue(spec: QueueSpec, lane: Priority = "standard"): BrokerQueue {
  const { name, deadLetterQueue, lanes } = spec;
  if (!lanes) return { name, deadLetterQueue, isLane: false };
  return { name: `${name}.${lane}`, deadLetterQueue: undefined, isLane: true };
}
