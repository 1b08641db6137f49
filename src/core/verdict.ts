import { MessagingError } from "../errors/messaging-error.js";
import { backoffMs } from "../util/backoff.js";
import { errorText } from "../util/error-text.js";

/** What a handler's outcome means, before it becomes a settlement. */
export type Verdict =
  | { readonly kind: "ack" }
  | { readonly kind: "release"; readonly why: "chosen" | "not-started" | "interrupted" }
  /** Not handled: given up on arrival. */
  | { readonly kind: "dead-letter"; readonly reason: string; readonly isHandled: boolean }
  | {
      readonly kind: "retry";
      readonly retryInMs: number;
      readonly reason: string | undefined;
      readonly limited: boolean;
    };

const ACK: Verdict = { kind: "ack" };
const RELEASE: Verdict = { kind: "release", why: "chosen" };

/** No handler has it. */
export const NOT_STARTED: Verdict = { kind: "release", why: "not-started" };
/** Its handler's say does not count. */
export const INTERRUPTED: Verdict = { kind: "release", why: "interrupted" };

/** After a throw: soon, since most failures pass; at most 30 s, so that a repaired world is noticed. */
const RETRY = { firstMs: 200, maxMs: 30_000 };

/** They speak of us, not of the message: the connection is closing, or a signal was aborted. */
const NOT_THE_MESSAGE: ReadonlySet<string> = new Set(["CLOSED", "ABORTED"]);

/** What a handler returned. Throws `INVALID_ARGUMENT` for what is no settlement. */
export function verdictOf(settlement: unknown): Verdict {
  if (settlement === undefined || settlement === "ack") return ACK;
  if (settlement === "release") return RELEASE;
  if (settlement === "requeue")
    return { kind: "retry", retryInMs: 0, reason: "requeued by the handler", limited: true };
  if (settlement === "dead-letter")
    return { kind: "dead-letter", reason: "dead-lettered by the handler", isHandled: true };
  if (typeof settlement === "object" && settlement !== null) {
    if ("deadLetter" in settlement && typeof settlement.deadLetter === "string") {
      return { kind: "dead-letter", reason: settlement.deadLetter, isHandled: true };
    }
    if ("retryInMs" in settlement && isWait(settlement.retryInMs)) {
      const reason = "reason" in settlement && typeof settlement.reason === "string" ? settlement.reason : undefined;
      return { kind: "retry", retryInMs: settlement.retryInMs, reason, limited: false };
    }
  }
  throw new MessagingError(
    "INVALID_ARGUMENT",
    `the handler returned a value of type ${typeof settlement} that is no settlement`,
  );
}

/** What a throw means: again with back-off, unless the error says that again will not help. */
export function verdictOfError(error: unknown, failures: number, fraction: number): Verdict {
  const reason = errorText(error);
  const isOurs = MessagingError.is(error) && NOT_THE_MESSAGE.has(error.code);
  if (MessagingError.is(error) && !error.retryable && !isOurs) return { kind: "dead-letter", reason, isHandled: true };
  return { kind: "retry", retryInMs: backoffMs(failures + 1, fraction, RETRY), reason, limited: !isOurs };
}

/** The back-off in place of a dead letter, where there is no queue for it. */
export function retryInPlace(reason: string, failures: number, fraction: number): Verdict {
  return { kind: "retry", retryInMs: backoffMs(failures + 1, fraction, RETRY), reason, limited: false };
}

function isWait(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
