import type { MessagingError } from "../errors/messaging-error.js";
import type { NodeId } from "../ports/broadcast.js";
import type { Capabilities } from "../ports/capabilities.js";
import type { MessageSelection, MessageState, QueueCounts } from "../ports/inspection.js";
import type { MessageHeaders, Priority } from "../ports/message.js";

/**
 * What a broker adapter implements, and all that it implements: translation. A driver never retries, reconnects,
 * validates, counts, times, logs or measures; core supervises, and every driver resource reports its loss.
 */
export interface Driver {
  readonly name: string;
  readonly capabilities: Capabilities;
  /**
   * Resolves with a live connection, or rejects with the vendor's error. Aborting the signal rejects soon and leaves
   * nothing open.
   */
  connect(options: ConnectOptions): Promise<DriverConnection>;
  /** Pure. Is also given errors that the driver did not make. Never loses the cause, never quotes a credential. */
  toMessagingError(error: unknown): MessagingError;
}

export interface ConnectOptions {
  readonly signal: AbortSignal;
  /** At most once, and not for a `close()` that was asked for. Whatever hung on the connection is lost with it. */
  onLost(error: unknown): void;
  /** The broker takes no publishes (true), takes them again (false). */
  onBlocked(blocked: boolean): void;
  /** A frame (inbox) that came back, because its inbox is gone. */
  onReturned(frame: WireMessage): void;
  /**
   * The credentials of the live connection were renewed; with an error: could not be, and are still the former ones; with a
   * warning: are the former ones, and something is not as it should be.
   */
  readonly onRenewed?: ((error: unknown, warning?: string) => void) | undefined;
}

export interface DriverConnection {
  /** Which of several brokers it leads to, for people. Never with credentials. */
  readonly endpoint?: string | undefined;
  /**
   * Queue: resolves on the broker's confirm; rejects if dropped, refused or unroutable. The queue is declared, with its
   * dead letters, before the first publish. On a queue with lanes the address alone says which one, whatever the
   * message's priority is. Inbox and broadcast: resolves when there is room to send; no confirm.
   * Always settles, at the latest when the connection is lost or closed. Concurrent calls are welcome and keep their
   * order. What is confirmed together may be answered with one and the same promise, which costs core a wait for all of
   * it instead of one for each.
   */
  publish(to: Address, message: WireMessage): Promise<void>;
  /**
   * Resolves once deliveries can arrive. The queue is declared first. `onLost` at most once, and not after `stop`.
   * On a queue with lanes, `lane` selects one, and its prefetch is its own. Without `lane` all three are consumed, each
   * with this prefetch, so that none holds up another: together up to three times as much is out. (Brokers bound what
   * one consumer of one queue holds; a bound over three queues would let a full one block the rest.)
   */
  consume(
    queue: QueueSpec,
    options: DriverConsumeOptions,
    onDelivery: (delivery: WireDelivery) => void,
    onLost: (error: unknown) => void,
  ): Promise<DriverConsumer>;
  /** What is for all, and what is for this node. Resolves once live. */
  subscribe(
    broadcast: string,
    node: NodeId,
    onMessage: (message: WireMessage) => void,
    onLost: (error: unknown) => void,
  ): Promise<DriverResource>;
  /** A private reply queue: exclusive, in order, gone with the connection. Its address goes into `replyTo`. */
  openInbox(onMessage: (message: WireMessage) => void, onLost: (error: unknown) => void): Promise<DriverInbox>;
  /**
   * Takes the message that would be handed out next, or resolves with undefined when none is ready now. Unsettled, it
   * goes back when the connection ends. The queue is not declared: one that does not exist rejects with what the driver
   * maps to `NOT_FOUND`, where the broker knows. There unless the capability `inspection` is `"none"`.
   */
  take?(queue: QueueSpec): Promise<WireDelivery | undefined>;
  /** There unless the capability `inspection` is `"none"`. What the broker does not tell is undefined. */
  counts?(queue: QueueSpec): Promise<QueueCounts>;
  /** There when the capability `inspection` is `"all"`. */
  readonly store?: DriverStore | undefined;
  /**
   * Flushes settlements and publishes that were handed over, closes, and resolves; never rejects. Unsettled deliveries
   * go back to their queues. `onLost` is not called.
   */
  close(): Promise<void>;
}

/**
 * A broker that can be asked for its messages. Selections are checked, and have their limit and their states. Once the
 * signal of one aborts, no further step is taken, and the promise resolves soon with what has been done until then.
 */
export interface DriverStore {
  /**
   * The one that is due first at first; history after what is in the queue, the newest first. Rejects with `REJECTED`
   * when there are more than 64 MiB of bodies.
   */
  browse(queue: QueueSpec, selection: CheckedSelection): Promise<readonly StoredMessageView[]>;
  /**
   * Moves messages that were browsed to other queues, which are declared first: due now, with no failed attempts, with
   * these headers in place of the old ones, and otherwise as they are. All of it happens or nothing. Resolves with the
   * number of those moved: what is not available in this queue any more, by its key, is left out.
   */
  move(queue: QueueSpec, moves: readonly StoredMove[]): Promise<number>;
  /**
   * Resolves with the number of those removed, which history has with this state. If it rejects, the error says how many
   * had been removed.
   */
  remove(queue: QueueSpec, selection: CheckedSelection, as: "removed" | "processed"): Promise<number>;
  /** Of a message that is available. */
  update(queue: QueueSpec, messageId: string, body: Uint8Array): Promise<boolean>;
}

export interface CheckedSelection extends MessageSelection {
  readonly states: readonly MessageState[];
  readonly limit: number;
  /** False: the bodies are not asked for, and are empty. Default true. */
  readonly withBodies?: boolean | undefined;
}

export interface StoredMove {
  /** Of its view. */
  readonly key: unknown;
  readonly to: QueueSpec;
  readonly headers: MessageHeaders;
}

export interface StoredMessageView {
  /** What the store knows it by, whatever its messageId is. Undefined for what cannot be moved. */
  readonly key: unknown;
  /** With all headers, reserved ones included. */
  readonly message: WireMessage;
  /** Of its body, whether that was asked for or not. */
  readonly bodyBytes: number;
  readonly state: MessageState;
  readonly dueAt: number | undefined;
  readonly changedAt: number | undefined;
}

export interface DriverConsumeOptions {
  /** The most that is out unsettled. 0: nothing comes until it is raised. */
  readonly prefetch: number;
  /** Only for a queue with lanes. */
  readonly lane?: Priority | undefined;
}

export interface DriverResource {
  /** No callback after it resolves; deliveries that are out may still be settled. Never rejects. */
  stop(): Promise<void>;
}

export interface DriverConsumer extends DriverResource {
  /**
   * At most `prefetch` unsettled from now on, 0 = no new ones. What is out already may exceed it until settled. For a
   * consumer of all three lanes, `prefetch` of each.
   */
  setPrefetch(prefetch: number): Promise<void>;
}

export interface DriverInbox extends DriverResource {
  readonly address: string;
}

export type Address =
  /** `lane`: only where the queue has lanes; `"standard"` when left out. */
  | { readonly kind: "queue"; readonly queue: QueueSpec; readonly lane?: Priority | undefined }
  | { readonly kind: "broadcast"; readonly name: string; readonly node?: NodeId | undefined }
  | { readonly kind: "inbox"; readonly address: string };

/** What the driver may declare. */
export interface QueueSpec {
  readonly name: string;
  /**
   * The queue for what is given up or expires; absent for dead-letter queues themselves, for queues with lanes, and
   * without the capability.
   */
  readonly deadLetterQueue: string | undefined;
  /**
   * True: a queue for requests, which is three lines, one for each priority, independent of each other. Its messages are
   * transient, are never published with a delay, and are dropped when they expire. A queue with lanes and one without
   * are two queues, also when they have the same name.
   */
  readonly lanes: boolean;
}

export interface WireMessage {
  readonly messageId: string;
  /** The kind of frame, where there are several. */
  readonly type?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly replyTo?: string | undefined;
  readonly contentType: string;
  readonly headers: MessageHeaders;
  /** Not written to after it was handed over, by either side. */
  readonly body: Uint8Array;
  /** Milliseconds since the epoch when the application published it. Whole seconds may be all that a broker keeps. */
  readonly timestamp: number;
  readonly priority?: Priority | undefined;
  readonly delayMs?: number | undefined;
  readonly expiresInMs?: number | undefined;
  /** Stored once within this time, however often it is published. Only with the capability. */
  readonly uniqueForMs?: number | undefined;
  readonly persistent: boolean;
}

export interface WireDelivery {
  readonly message: WireMessage;
  /** The broker's own count, 1 at first, of how often it handed this message out; undefined if it does not count. */
  readonly deliveries: number | undefined;
  readonly redelivered: boolean;
  /**
   * Once per delivery. Resolves true when the settlement reached the broker (is on its way on a link that is not lost),
   * false when it was lost first. Never rejects. As with `publish`, several may be answered with one promise.
   */
  settle(settlement: WireSettlement): Promise<boolean>;
  /**
   * The same without the message, for who has read it and holds the delivery for long: to settle one is to settle both.
   * Absent where it would keep no less in memory.
   */
  readonly place?: DeliveryPlace | undefined;
}

/** The place of a delivery among what is unsettled. */
export interface DeliveryPlace {
  settle(settlement: "ack" | "release"): Promise<boolean>;
}

/**
 * `release`: back to the queue, near its old place. `retryInMs`: again under the same messageId with these headers in
 * place of the old ones, not before the time; stored before the original is removed; on a queue with lanes always 0, and
 * back to its lane. `deadLetter`: the same, to the dead-letter queue, with these headers; never without such a queue.
 */
export type WireSettlement =
  | "ack"
  | "release"
  | { readonly retryInMs: number; readonly headers: MessageHeaders }
  | { readonly deadLetter: MessageHeaders };
