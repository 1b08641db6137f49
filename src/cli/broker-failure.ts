import { MessagingError } from "../errors/messaging-error.js";

/** Says which broker it was, and what to look at. The URL is shown as it is given. */
export function brokerFailure(error: unknown, broker: string): unknown {
  if (!MessagingError.is(error)) return error;
  const hints: Readonly<Record<string, string>> = {
    UNAVAILABLE: "; start it, or correct host and port in the broker URL",
    UNAUTHENTICATED: "; correct them in the broker URL",
  };
  // What is wrong with a file, and what to do, its error says: it has no host, and nobody starts it.
  const hint = broker.startsWith("sqlite:") ? undefined : hints[error.code];
  const text = `cannot use the broker ${broker}: ${error.message}${hint ?? ""}`;
  return new MessagingError(error.code, text, { cause: error });
}
