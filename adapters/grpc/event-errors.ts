import type { Metadata } from "@grpc/grpc-js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import { errorText } from "../../src/util/error-text.js";
import { toCallStatus, toErrorFrame } from "./call-errors.js";
import type { ErrorStatus } from "./errors.js";

/** The status of an rpc of the event service. What is no error of ours is a fault of ours: there is no code of others here. */
export function toEventStatus(thrown: unknown): ErrorStatus & { readonly metadata: Metadata } {
  return toCallStatus(asOurs(thrown));
}

/** Why one event of many was not posted. */
export interface PostFailure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

export function toPostFailure(thrown: unknown): PostFailure {
  const error = asOurs(thrown);
  const { code, retryable } = toErrorFrame(error);
  const { code: status, details } = toCallStatus(error);
  return { status, code: code ?? "", message: details, retryable: retryable ?? false };
}

function asOurs(thrown: unknown): MessagingError {
  return MessagingError.is(thrown) ? thrown : new MessagingError("INTERNAL", errorText(thrown));
}
