import type { Closeable } from "./lifecycle.js";
import type { IncomingMessage, OutgoingMessage } from "./message.js";

/** The ServerNodeID of one process: by default a random UUID. */
export type NodeId = string;

export interface BroadcastOptions {
  /** Given: that node only. */
  readonly node?: NodeId | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SubscribeOptions {
  /** Receive what is addressed to this node, besides what is for all. Default: this process's nodeId. */
  readonly node?: NodeId | undefined;
  /** Aborts the set-up; once live, closes the subscription. */
  readonly signal?: AbortSignal | undefined;
}

export type SubscriptionState = "live" | "recovering" | "closing" | "closed";

export interface Subscription extends Closeable {
  readonly state: SubscriptionState;
}

/** A signal to every node that listens now, or to one of them: at most once, nothing is kept. */
export interface Broadcast<T = Uint8Array> {
  readonly name: string;
  /** Resolves when the broadcast was handed to the link; nobody listening is no error. Always settles. */
  publish(message: OutgoingMessage<T>, options?: BroadcastOptions): Promise<void>;
  /**
   * Resolves once live; comes back by itself after every loss. Handlers run one after another; at most 1,000 messages
   * wait, more are dropped and observed. A throw is observed and costs that message only.
   */
  subscribe(
    handler: (message: IncomingMessage<T>) => Promise<void> | void,
    options?: SubscribeOptions,
  ): Promise<Subscription>;
}
