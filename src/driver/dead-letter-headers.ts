import type { MessageHeaders } from "../ports/message.js";
import {
  DEAD_AT_HEADER,
  DEAD_ATTEMPTS_HEADER,
  DEAD_QUEUE_HEADER,
  DEAD_REASON_HEADER,
  FAILURES_HEADER,
  RESERVED_PREFIX,
} from "./reserved-headers.js";

export interface Death {
  readonly reason: string;
  /** The queue that it came from. */
  readonly queue: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Failed handlings. Default: as many as the message's headers say. */
  readonly attempts?: number | undefined;
}

/** The headers of a dead letter: the message's own, and how it died. What counted handlings has ended with them. */
export function deadLetterHeaders(headers: MessageHeaders, { reason, queue, at, attempts }: Death): MessageHeaders {
  const own = Object.entries(headers).filter(([name]) => !name.startsWith(RESERVED_PREFIX));
  return {
    ...Object.fromEntries(own),
    [DEAD_REASON_HEADER]: reason,
    [DEAD_QUEUE_HEADER]: queue,
    [DEAD_AT_HEADER]: new Date(at).toISOString(),
    [DEAD_ATTEMPTS_HEADER]: attempts === undefined ? (headers[FAILURES_HEADER] ?? "0") : String(attempts),
  };
}
