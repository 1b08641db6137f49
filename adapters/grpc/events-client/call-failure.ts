import { type StatusObject, status } from "@grpc/grpc-js";
import { type ErrorCode, MessagingError } from "../../../src/errors/messaging-error.js";
import { errorText } from "../../../src/util/error-text.js";
import { fromStatus } from "../call-errors.js";

/** Trying again would come to the same. Everything else, what is unknown among it, may be different the next time. */
const PERMANENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "INVALID_ARGUMENT",
  "UNSUPPORTED",
  "CLOSED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "UNAUTHENTICATED",
  "UNROUTABLE",
  "ABORTED",
  "TOO_LARGE",
  "MALFORMED",
  "DATA_LOSS",
]);

export function isPermanent({ code }: MessagingError): boolean {
  return PERMANENT.has(code);
}

/** What the library says of a call that did not end with OK. */
export function toCallFailure(thrown: unknown, what: string): MessagingError {
  if (MessagingError.is(thrown)) return thrown;
  if (!isStatus(thrown)) return new MessagingError("INTERNAL", `${what}: ${errorText(thrown)}`, { cause: thrown });
  // The library adds this note also where there is nothing to note.
  const details =
    thrown.details.replace(/\.? *Resolution note: *$/, "") || `status ${status[thrown.code]} without a text`;
  if (thrown.code === status.OUT_OF_RANGE) return new MessagingError("INVALID_ARGUMENT", `${what}: ${details}`);
  return fromStatus({ ...thrown, details }, what);
}

/** The server does not know the rpc. (One that does may answer the same status, but says then what is not supported.) */
export function isMissing(thrown: unknown): boolean {
  return isStatus(thrown) && thrown.code === status.UNIMPLEMENTED && thrown.metadata.get("fairlead-code").length === 0;
}

function isStatus(thrown: unknown): thrown is StatusObject {
  return (
    typeof thrown === "object" && thrown !== null && "code" in thrown && "details" in thrown && "metadata" in thrown
  );
}
