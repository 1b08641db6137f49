import {
  DEAD_AT_HEADER,
  DEAD_ATTEMPTS_HEADER,
  DEAD_QUEUE_HEADER,
  DEAD_REASON_HEADER,
  FAILURES_HEADER,
  RESERVED_PREFIX,
} from "../../src/driver/reserved-headers.js";
import type { MessageHeaders } from "../../src/ports/message.js";

/** The headers of a message that expired: its own, and why, where from, when and after how many failures. */
export function expiredHeaders(headers: MessageHeaders, queue: string, now: number): MessageHeaders {
  const own = Object.entries(headers).filter(([name]) => !name.startsWith(RESERVED_PREFIX));
  return {
    ...Object.fromEntries(own),
    [DEAD_REASON_HEADER]: "expired",
    [DEAD_QUEUE_HEADER]: queue,
    [DEAD_AT_HEADER]: new Date(now).toISOString(),
    [DEAD_ATTEMPTS_HEADER]: headers[FAILURES_HEADER] ?? "0",
  };
}
