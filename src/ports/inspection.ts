import type { MessageHeaders } from "./message.js";

/**
 * Where a message stands. `available`: in the queue, due now or later. `in-processing`: handed out, not settled. The rest
 * is history: `processed`: acknowledged; `failed`: given up, or an attempt that will be repeated; `removed`: by an
 * operator; `reaped`: its consumer was lost, and it is available again.
 */
export type MessageState = "available" | "in-processing" | "processed" | "failed" | "removed" | "reaped";

export interface InspectedMessage {
  readonly messageId: string;
  readonly body: Uint8Array;
  /** The application's, and those that say why it is a dead letter. */
  readonly headers: MessageHeaders;
  readonly state: MessageState;
  /** 1 + the failed attempts so far. */
  readonly attempt: number;
  /** Milliseconds since the epoch, by the publisher's clock. Whole seconds may be all that a broker keeps. */
  readonly publishedAt: number;
  /** Milliseconds since the epoch: not handed out before. Undefined where the broker does not tell. */
  readonly dueAt: number | undefined;
  /** Milliseconds since the epoch: since when it is in this state. Undefined where the broker does not tell. */
  readonly changedAt: number | undefined;
}

/** Which messages of a queue. What is left out does not restrict. */
export interface MessageSelection {
  readonly messageIds?: readonly string[] | undefined;
  /** All of these headers, with exactly these values. */
  readonly headers?: MessageHeaders | undefined;
  /** Default: `available` only. Others need the capability `inspection: "all"`. */
  readonly states?: readonly MessageState[] | undefined;
  /** Due at this time or later, in milliseconds since the epoch. Needs `inspection: "all"`. */
  readonly dueFrom?: number | undefined;
  /** Due before this time, in milliseconds since the epoch. Needs `inspection: "all"`. */
  readonly dueBefore?: number | undefined;
  /** At most this many. Default 100; at most 100,000. */
  readonly limit?: number | undefined;
  /** Ends the operation with `ABORTED`, once what it has taken is given back. */
  readonly signal?: AbortSignal | undefined;
}

export interface ReplayOptions extends MessageSelection {
  /**
   * Where to; never the same queue. Default: the queue that each dead letter came from. What does not say so is left,
   * and told at the end by `INVALID_ARGUMENT`.
   */
  readonly to?: string | undefined;
  /**
   * Asked for each message whether it may go to this queue, just before it would. False ends the replay with
   * `PERMISSION_DENIED`; what was moved until then is. Default: it may go anywhere. Not for a replay on another machine.
   */
  readonly mayMoveTo?: ((queue: string) => boolean) | undefined;
  /** Messages per second, at most. Default: as fast as it goes. */
  readonly ratePerSecond?: number | undefined;
  /** Called for each message once it has been moved, with their number so far. */
  readonly onMoved?: ((moved: number) => void) | undefined;
}

export interface QueueCounts {
  /** Due, and handed to nobody. */
  readonly ready: number;
  /** Not due yet. Undefined where the broker does not tell. */
  readonly delayed: number | undefined;
  /** Handed out, not settled. Undefined where the broker does not tell. */
  readonly inProcessing: number | undefined;
  /** Since the oldest ready message became due, in milliseconds. Undefined for none, or where the broker does not tell. */
  readonly oldestReadyMs: number | undefined;
}

/**
 * What operators do with queues. With the capability `inspection: "ready"` only messages that are due are seen, by taking
 * them and giving them back: consumers do not get them meanwhile, and redelivery is counted where the broker counts.
 * With `"all"` the store itself is asked, and consumers notice nothing.
 *
 * Everything rejects with `INVALID_ARGUMENT`, all faults at once, for a selection that makes no sense; `NOT_FOUND` for a
 * queue that does not exist, where the broker knows; `UNSUPPORTED` for what needs `"all"`; `UNAVAILABLE` when the link is
 * lost; and `REJECTED` when more than 100,000 messages, or 64 MiB of the bodies that were asked for, would have to be held
 * at once: what had been removed or moved until then is, and the error says how many that are.
 */
export interface Inspection {
  counts(queue: string): Promise<QueueCounts>;
  /** The messages that are selected, the one that is due first at first. What has been taken is given back before it settles. */
  browse(queue: string, selection?: MessageSelection): Promise<readonly InspectedMessage[]>;
  /**
   * Takes messages out of the queue for good and resolves with their number. `as` is what history says of them, default
   * `"removed"`. A message that is handed out just now can be removed with `inspection: "all"` only; its settlement is
   * then lost.
   */
  remove(queue: string, selection: MessageSelection, as?: "removed" | "processed"): Promise<number>;
  /**
   * Publishes messages that are available anew, with no failed attempts, and removes each here once that is confirmed.
   * Resolves with their number. Interrupted at any point it can be repeated: what was moved is not here any more, and at
   * most one message is then in both queues; with `inspection: "all"` each is always in exactly one.
   */
  replay(queue: string, options?: ReplayOptions): Promise<number>;
  /** Replaces the body of a message that is available. False: there is none with this id. Needs `inspection: "all"`. */
  update(queue: string, messageId: string, body: Uint8Array): Promise<boolean>;
}
