import type { MessagingError } from "../../errors/messaging-error.js";
import type { CoreContext } from "../core-context.js";

export interface CallEnd {
  readonly side: "client" | "server";
  /** When it began, by this machine's clock. */
  readonly since: number;
  readonly error: MessagingError | undefined;
  /** How many there were. */
  readonly responses: number;
}

/** Tells observers that a call is over at one of its ends. */
export function observeCallEnd(
  { observe, clock, isObserved }: CoreContext,
  { sink, callId }: { readonly sink: string; readonly callId: string },
  { side, since, error, responses }: CallEnd,
): void {
  if (isObserved) observe({ type: "call", side, sink, callId, error, responses, ms: clock.now() - since });
}
