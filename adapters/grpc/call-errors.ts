import { Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { type ErrorCode, MessagingError } from "../../src/errors/messaging-error.js";
import { errorText } from "../../src/util/error-text.js";
import { type ErrorStatus, toErrorStatus } from "./errors.js";
import type { Error as ErrorFrame, Error__Output as ErrorFrame__Output } from "./gen/fairlead/v1/Error.js";

/** The trailing metadata with our own code, which says more than the status. */
const CODE_KEY = "fairlead-code";
const MAX_MESSAGE_LENGTH = 16_000;

/** As clients see it: what is closed here is, to them, a server that they cannot use now. */
function outward(error: unknown): MessagingError {
  if (!MessagingError.is(error)) return new MessagingError("REMOTE", errorText(error));
  return error.code === "CLOSED" ? new MessagingError("UNAVAILABLE", error.message) : error;
}

export function toErrorFrame(error: unknown): ErrorFrame {
  const { code, message, retryable } = outward(error);
  return { code, message: message.slice(0, MAX_MESSAGE_LENGTH).replace(/\p{Cs}/gu, "\uFFFD"), retryable };
}

/** For a call that is refused, or has no frame for errors. */
export function toCallStatus(error: unknown): ErrorStatus & { readonly metadata: Metadata } {
  const shown = outward(error);
  const metadata = new Metadata();
  metadata.set(CODE_KEY, shown.code);
  return { ...toErrorStatus(shown), metadata };
}

export function fromErrorFrame({ code, message, retryable }: ErrorFrame__Output): MessagingError {
  const text = message || "the server reported an error without a text";
  return new MessagingError(MessagingError.isCode(code) ? code : "REMOTE", text, { retryable });
}

/** How the library's own statuses read. Where the server is one of ours, its code in the metadata is exact. */
const CODE_OF: Readonly<Partial<Record<status, ErrorCode>>> = {
  [status.INVALID_ARGUMENT]: "INVALID_ARGUMENT",
  [status.DEADLINE_EXCEEDED]: "TIMEOUT",
  [status.NOT_FOUND]: "NOT_FOUND",
  [status.ALREADY_EXISTS]: "ALREADY_EXISTS",
  [status.PERMISSION_DENIED]: "PERMISSION_DENIED",
  [status.UNAUTHENTICATED]: "UNAUTHENTICATED",
  [status.RESOURCE_EXHAUSTED]: "REJECTED",
  [status.UNIMPLEMENTED]: "UNSUPPORTED",
  [status.DATA_LOSS]: "DATA_LOSS",
  [status.UNAVAILABLE]: "UNAVAILABLE",
  // We did not cancel: the server was stopped, or its connection cut.
  [status.CANCELLED]: "UNAVAILABLE",
  [status.INTERNAL]: "INTERNAL",
};

/** A status other than OK, as a client of ours tells it. */
export function fromStatus({ code, details, metadata }: StatusObject, what: string): MessagingError {
  const own = metadata.get(CODE_KEY)[0];
  const known = typeof own === "string" && MessagingError.isCode(own) ? own : undefined;
  // A connection that ends in the middle is told as INTERNAL by some paths of the library.
  const isTooLarge = code === status.RESOURCE_EXHAUSTED && details.startsWith("Received message larger than max");
  const isCut = code === status.INTERNAL && details.startsWith("Received RST_STREAM");
  if (known === undefined && isTooLarge) return new MessagingError("TOO_LARGE", `${what}: ${details}`);
  return new MessagingError(known ?? (isCut ? "UNAVAILABLE" : (CODE_OF[code] ?? "UNKNOWN")), `${what}: ${details}`);
}
