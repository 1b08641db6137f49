import { MessagingError } from "../../src/errors/messaging-error.js";

/** Its own errors are MessagingErrors already; what else comes is unknown here. */
export function toMessagingError(error: unknown): MessagingError {
  if (MessagingError.is(error)) return error;
  return new MessagingError("UNKNOWN", `memory: ${textOf(error)}`, { cause: error });
}

function textOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  // Not everything can be made a string.
  return typeof error === "object" && error !== null ? "an unknown error" : String(error);
}

export function aborted(reason: unknown): MessagingError {
  return new MessagingError("ABORTED", "memory: connecting was aborted", { cause: reason });
}

export function refused(): MessagingError {
  return new MessagingError("UNAVAILABLE", "memory: the broker refuses connections");
}

/** What still waited on a connection, or was asked of it afterwards. */
export function gone(cause: unknown): MessagingError {
  const options = cause === undefined ? {} : { cause };
  return new MessagingError("UNAVAILABLE", "memory: the connection is closed or lost", options);
}

export function lostConnection(): MessagingError {
  return new MessagingError("UNAVAILABLE", "memory: the connection was lost");
}

export function restarted(): MessagingError {
  return new MessagingError("UNAVAILABLE", "memory: the broker was started anew");
}

export function lostConsumer(queue: string): MessagingError {
  return new MessagingError("UNAVAILABLE", `memory: the consumer of queue ${queue} was lost`);
}

export function heldTooLong(queue: string, holdMs: number): MessagingError {
  return new MessagingError("UNAVAILABLE", `memory: a message of queue ${queue} was held for longer than ${holdMs} ms`);
}

export function deletedQueue(queue: string): MessagingError {
  return new MessagingError("UNAVAILABLE", `memory: queue ${queue} was deleted`);
}

export function noQueue(queue: string): MessagingError {
  return new MessagingError(
    "NOT_FOUND",
    `memory: there is no queue ${queue}: it is made with its first publish or consumer`,
  );
}

export function full(queue: string, option: string, limit: number): MessagingError {
  return new MessagingError(
    "REJECTED",
    `memory: queue ${queue} is full, ${option} is ${limit}: consume faster, or raise ${option}`,
  );
}

export function tooLarge(bytes: number, maxMessageBytes: number): MessagingError {
  return new MessagingError(
    "TOO_LARGE",
    `memory: a body of ${bytes} bytes is over maxMessageBytes, which is ${maxMessageBytes}`,
  );
}

export function otherKind(queue: string, isLane: boolean): MessagingError {
  const is = isLane ? "is there as a lane of a queue with lanes" : "is there and is no lane";
  return new MessagingError("ALREADY_EXISTS", `memory: queue ${queue} ${is}: choose another name for one of the two`);
}

export function otherDeadLetterQueue(queue: string, is: string, asked: string): MessagingError {
  return new MessagingError(
    "ALREADY_EXISTS",
    `memory: queue ${queue} exists with the dead-letter queue ${is}, not ${asked}: use one name everywhere`,
  );
}
