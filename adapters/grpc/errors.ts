import { status } from "@grpc/grpc-js";
import { type ErrorCode, MessagingError } from "../../src/errors/messaging-error.js";
import { errorText } from "../../src/util/error-text.js";

/** Does not compile when a code is missing. */
const STATUS: Readonly<Record<ErrorCode, status>> = {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  UNSUPPORTED: status.UNIMPLEMENTED,
  // Clients of a server that closes should try another.
  CLOSED: status.UNAVAILABLE,
  NOT_FOUND: status.NOT_FOUND,
  ALREADY_EXISTS: status.ALREADY_EXISTS,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  UNAVAILABLE: status.UNAVAILABLE,
  UNROUTABLE: status.NOT_FOUND,
  REJECTED: status.RESOURCE_EXHAUSTED,
  TIMEOUT: status.DEADLINE_EXCEEDED,
  ABORTED: status.CANCELLED,
  TOO_LARGE: status.RESOURCE_EXHAUSTED,
  MALFORMED: status.INVALID_ARGUMENT,
  REMOTE: status.UNKNOWN,
  DATA_LOSS: status.DATA_LOSS,
  INTERNAL: status.INTERNAL,
  UNKNOWN: status.UNKNOWN,
};

export interface ErrorStatus {
  readonly code: status;
  readonly details: string;
}

/** It travels in a header. */
const MAX_DETAILS_LENGTH = 1_000;

/** Never without text. */
export function toErrorStatus(error: unknown): ErrorStatus {
  const text = errorText(error);
  return {
    code: MessagingError.is(error) ? STATUS[error.code] : status.INTERNAL,
    details: toDetails(text) || "failed without a reason",
  };
}

/** One line that a header can carry: halves of surrogate pairs would break its encoding. */
function toDetails(text: string): string {
  const line = text.replace(/[\p{Cc}\s]+/gu, " ").trim();
  return line.slice(0, MAX_DETAILS_LENGTH).replace(/\p{Cs}/gu, "\uFFFD");
}
