/** Text by text: strings are the one header type that every broker and language carries unchanged. */
export type MessageHeaders = Readonly<Record<string, string>>;

export type Priority = "bulk" | "standard" | "expedite";

/**
 * What becomes of a delivery, decided by its handler's return value.
 *
 * - `"ack"`: done.
 * - `"requeue"`: failed, again now. Counts as a failed attempt, so `maxAttempts` ends it.
 * - `"release"`: not handled; back to the queue at once, no failed attempt.
 * - `"dead-letter"`: given up.
 * - `{ retryInMs }`: failed, again, never earlier than this many milliseconds from now. Not limited by `maxAttempts`. (Without
 *   the capability `delayedDelivery` the consumer holds it; one that closes gives it back at once, and so does the end of
 *   `holdMs`.)
 * - `{ deadLetter }`: given up, with the reason kept beside the message.
 */
export type Settlement =
  | "ack"
  | "requeue"
  | "release"
  | "dead-letter"
  | { readonly retryInMs: number; readonly reason?: string | undefined }
  | { readonly deadLetter: string };

export interface OutgoingMessage<T> {
  /** Bytes are not copied: they must not be written to after they were handed over. */
  readonly body: T;
  /** Names that start with `fairlead-` are reserved and refused with `INVALID_ARGUMENT`. */
  readonly headers?: MessageHeaders | undefined;
  /** Default: a new UUID. Kept through every retry and re-send. */
  readonly messageId?: string | undefined;
  readonly correlationId?: string | undefined;
}

/** A message that arrived outside a queue, so that there is nothing to settle. */
export interface IncomingMessage<T> {
  /** Bytes are not copied: a handler that writes to them may see that again in the next attempt. */
  readonly body: T;
  readonly headers: MessageHeaders;
  readonly messageId: string;
  readonly correlationId: string | undefined;
}

/**
 * One attempt to hand over one message. `signal` and `settled` are made when they are looked at, so that a copy by spread
 * (`{ ...delivery }`) is without them: pass the delivery on as it is, or name what is needed.
 */
export interface Delivery<T> extends IncomingMessage<T> {
  /** True if it may have been handed over before: after a loss, a release or a failed attempt. */
  readonly redelivered: boolean;
  /** 1 + the number of failed handlings so far. Losses (a crash, a lost connection) do not count. */
  readonly attempt: number;
  /**
   * Aborts when the delivery is no longer ours (connection or consumer lost, or with `TIMEOUT` before the broker's `holdMs` is
   * over), or when `drainMs` is over.
   */
  readonly signal: AbortSignal;
  /**
   * Resolves once, never rejects: true when the settlement reached the broker; false when it was lost first (the message will come
   * again), or when the handler took too long for its broker (the message will come again, or is given up after its last attempt).
   */
  readonly settled: Promise<boolean>;
}
