import type { MessagingError } from "../../../src/errors/messaging-error.js";
import type { AckOutcome } from "./ack-outcome.js";
import type { ReceivedEvent } from "./event.js";

/** Of the subscription: `closed` → `connected` ⇄ `disconnected` → `closed`. */
export type EventsClientState = "closed" | "connected" | "disconnected";

/** What a client tells whoever watches it. */
export type EventsClientNotice =
  /** `cause`: why it is not connected any more; none after a `close()`. */
  | { readonly type: "state"; readonly state: EventsClientState; readonly cause?: MessagingError | undefined }
  /** A try failed, and there will be another after so many milliseconds. */
  | {
      readonly type: "retry";
      readonly what: "post" | "ack" | "subscribe";
      readonly error: MessagingError;
      readonly waitMs: number;
    }
  /** The handler threw: the event was refused, and comes again by the server's retry schedule. */
  | { readonly type: "handler-failed"; readonly error: unknown; readonly event: ReceivedEvent }
  /** The server knows the attempt no more, because the handler took too long for one, or is not sure: the event may come again. */
  | { readonly type: "ack-ignored"; readonly outcome: Exclude<AckOutcome, "ok">; readonly event: ReceivedEvent }
  /** Nobody could be told what the handler came to: the event comes again. */
  | { readonly type: "ack-failed"; readonly error: MessagingError; readonly event: ReceivedEvent };
