import { isWatched } from "./call-signal.js";

/**
 * Of a call among the live ones of its client and sink. Callers behind a bridge know nothing of each other: only a caller of our
 * own is refused its callId.
 */
export function callName(callId: string, context: object): string {
  const origin = isWatched(context) ? context.origin : undefined;
  return origin === undefined ? callId : `${origin}\n${callId}`;
}
