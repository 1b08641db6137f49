import { MessagingError } from "../errors/messaging-error.js";

/** Says which broker it was, and what to look at. The URL is shown as it is given. */
export function brokerFailure(error: unknown, broker: string): unknown {
  if (!MessagingError.is(error)) return error;
  const hints: Readonly<Record<string, string>> = {
    UNAVAILABLE: "; start it, or correct host and port in the broker URL",
    UNAUTHENTICATED: "; correct them in the broker URL",
  };
  const text = `cannot use the broker ${broker}: ${error.message}${hints[error.code] ?? ""}`;
  return new MessagingError(error.code, text, { cause: error });
}
