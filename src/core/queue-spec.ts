import type { QueueSpec } from "../driver/driver.js";
import type { Capabilities } from "../ports/capabilities.js";

const DEAD_SUFFIX = ".dead";

/** What the driver may declare for a queue of this name. A dead-letter queue has none of its own, nor have lanes. */
export function queueSpec(name: string, { queue }: Capabilities, lanes = false): QueueSpec {
  const hasOne = queue.deadLetter && !lanes && !name.endsWith(DEAD_SUFFIX);
  return { name, deadLetterQueue: hasOne ? `${name}${DEAD_SUFFIX}` : undefined, lanes };
}
