import type { QueueSpec } from "../../src/driver/driver.js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { Priority } from "../../src/ports/message.js";
import { isDirectReplyTo } from "./direct-reply-to.js";

/** A queue as the broker has it. A queue with lanes is three of them. */
export interface BrokerQueue {
  readonly name: string;
  readonly deadLetterQueue: string | undefined;
  readonly isLane: boolean;
}

/** Throws `INVALID_ARGUMENT` for a name that would cost the whole connection. */
export function brokerQueue(spec: QueueSpec, lane: Priority = "standard"): BrokerQueue {
  const { name, deadLetterQueue, lanes } = spec;
  if (isDirectReplyTo(name)) throw notAQueue(name);
  if (lanes) return { name: `${name}.${lane}`, deadLetterQueue: undefined, isLane: true };
  if (deadLetterQueue !== undefined && isDirectReplyTo(deadLetterQueue)) throw notAQueue(deadLetterQueue);
  return { name, deadLetterQueue, isLane: false };
}

function notAQueue(name: string): MessagingError {
  const text = `"${name}" cannot be a queue, RabbitMQ takes it for its direct reply-to: choose a name that does not begin with "amq."`;
  return new MessagingError("INVALID_ARGUMENT", text);
}
