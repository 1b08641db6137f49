/**
 * Why an ack settles nothing. `late`: its attempt was over already; `repeated`: it has been acknowledged before; `unknown`:
 * no token, or one that is forgotten; `unresolved`: another server delivered the event, and did not answer.
 */
export type IgnoredAck = "late" | "repeated" | "unknown" | "unresolved";

/**
 * What an ack came to. `acked`: done, and the broker knows; `nacked`: failed, it comes again by the schedule; `unconfirmed`:
 * whether it reached the broker is not known, the event may come again.
 */
export type AckOutcome = "acked" | "nacked" | "unconfirmed" | IgnoredAck;

const OUTCOMES: ReadonlySet<unknown> = new Set<AckOutcome>([
  "acked",
  "nacked",
  "unconfirmed",
  "late",
  "repeated",
  "unknown",
  "unresolved",
]);

/** As another server says it, which may be of a newer version. */
export function toAckOutcome(value: string): AckOutcome {
  return OUTCOMES.has(value) ? (value as AckOutcome) : "unknown";
}
