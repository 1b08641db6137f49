import type { MessagingError } from "../../../src/errors/messaging-error.js";
import type { Timestamp__Output } from "../gen/google/protobuf/Timestamp.js";
import type { AckOutcome } from "./ack-outcome.js";
import type { ServerLink } from "./server-link.js";

/** What a server handed over, with what is needed to answer it. */
export interface IncomingEvent {
  readonly body: Uint8Array;
  readonly clientId: string;
  readonly searchKey1: bigint;
  readonly searchKey2: bigint;
  readonly token: string;
  readonly effectiveDate: Date | undefined;
  readonly attempt: number | undefined;
  readonly ackToken: string;
}

export interface EventSourceOptions {
  readonly link: ServerLink;
  readonly clientId: string;
  /** How many events may be out, where the server can be told. */
  readonly concurrency: number;
  /** The server has answered. Called at most once, before any event. */
  onLive(): void;
  onEvent(event: IncomingEvent): void;
  /** Called once, and nothing after it. Undefined: the server ended the stream with OK. */
  onEnd(error: MessagingError | undefined): void;
}

/** One stream of events from one server. */
export interface EventSource {
  /** Events wait at the server until `resume`, but for the few that are on their way. */
  pause(): void;
  resume(): void;
  /** No event is wanted but those that the server was asked for already, where it can be told. */
  askNoMore(): void;
  /** The event was handled. Resolves with undefined where the stream cannot tell the server so, or is over. */
  ack(ackToken: string, success: boolean): Promise<AckOutcome | undefined>;
  /** Nobody waits for this `ack` any longer: it resolves with undefined. */
  forget(ackToken: string): void;
  /** Ends it without a word to `onEnd`. */
  cancel(): void;
}

export function toDate(timestamp: Timestamp__Output | null): Date | undefined {
  if (timestamp === null) return undefined;
  return new Date(Number(timestamp.seconds) * 1_000 + Math.floor(timestamp.nanos / 1_000_000));
}
