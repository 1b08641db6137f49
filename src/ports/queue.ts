import type { Closeable } from "./lifecycle.js";
import type { Delivery, OutgoingMessage, Priority, Settlement } from "./message.js";

export interface PublishOptions {
  /** Selects the lane of a queue with lanes, on every adapter; on any other it needs the capability. Default `"standard"`. */
  readonly priority?: Priority | undefined;
  /**
   * Not delivered before this many milliseconds have passed. Needs the capability. `UNSUPPORTED` on a queue with lanes.
   * Default 0.
   */
  readonly delayMs?: number | undefined;
  /**
   * Dead-lettered, with the reason `expired`, when not delivered within this many milliseconds. Needs the capabilities
   * `expiry` and `deadLetter`; refused on dead-letter queues themselves, where it would be lost. On a queue with lanes
   * it needs `expiry` alone: what is too old there is dropped.
   */
  readonly expiresInMs?: number | undefined;
  /**
   * Default: as durable as the adapter can. `true` needs the capability; `false` may be faster. A queue with lanes keeps
   * nothing through a restart, and refuses `true` with `UNSUPPORTED`.
   */
  readonly persistent?: boolean | undefined;
  /**
   * What to do when the link is lost before the confirm: true (default): send again under the same messageId, so the
   * message may be stored twice; false: reject with `UNAVAILABLE`, so it may have been stored once.
   */
  readonly resend?: boolean | undefined;
  /**
   * A publish with the same messageId to the same queue within this many milliseconds resolves like the first and stores
   * nothing, also after a restart of the broker and whatever became of the first. Needs the capability `deduplication`
   * and a `messageId`. Default: each publish is stored.
   */
  readonly uniqueForMs?: number | undefined;
  /** The longest that `publish` may take, waiting for room and for the link included. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ConsumeOptions {
  /**
   * Handlers that run at once. 0 starts paused. Where the capability `holdMs` sets a limit, one that has used up its time gives its
   * slot to the next and may run on: with twice the concurrency running in all the consumer pauses until one returns. More than that run
   * only after the concurrency was lowered meanwhile. Default 1.
   */
  readonly concurrency?: number | undefined;
  /**
   * Messages held at once, running ones included. Never below the concurrency. A consumer of all three lanes holds as
   * many of each. Default: the concurrency.
   */
  readonly prefetch?: number | undefined;
  /**
   * Only this lane; refused with `INVALID_ARGUMENT` on a queue without lanes. Default: all three, without an order between
   * them and with one concurrency for all: slow work in one then holds up the others, which a consumer for each lane avoids.
   */
  readonly lane?: Priority | undefined;
  /** The failed attempt with this number dead-letters. `Infinity` never does. Default 5. */
  readonly maxAttempts?: number | undefined;
  /** Lost this often without being settled, a message is dead-lettered as `crash-loop`. Default 20. */
  readonly maxDeliveries?: number | undefined;
  /** Aborts the set-up; once running, closes the consumer. */
  readonly signal?: AbortSignal | undefined;
}

export type ConsumerState = "running" | "paused" | "recovering" | "closing" | "closed";

export interface Consumer extends Closeable {
  /** Handlers that run now, those included whose time is over because of `holdMs`. */
  readonly inFlight: number;
  readonly state: ConsumerState;
  /**
   * Changes the number of handlers that run at once, and what is held with it. 0 pauses: what has not started goes
   * back to the queue, what runs goes on.
   */
  setConcurrency(concurrency: number): void;
}

/** Nothing returned means `"ack"`; a throw means: retry with back-off, or dead-letter when that is used up. */
export type DeliveryHandler<T> = (delivery: Delivery<T>) => Promise<Settlement | undefined> | Promise<void>;

/** Durable work: each message is handled by one of the competing consumers, at least once. */
export interface Queue<T = Uint8Array> {
  readonly name: string;
  /** Resolves once the broker took responsibility. Always settles, within `timeoutMs` (twice that, if the machine's clock is set meanwhile). */
  publish(message: OutgoingMessage<T>, options?: PublishOptions): Promise<void>;
  /** Resolves once the consumer is live. From then on it comes back by itself after every loss. */
  consume(handler: DeliveryHandler<T>, options?: ConsumeOptions): Promise<Consumer>;
}
