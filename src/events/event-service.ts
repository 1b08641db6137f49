import type { Closeable } from "../ports/lifecycle.js";
import type { AckOutcome } from "./dispatcher.js";
import type { OutgoingEvent } from "./event.js";
import type { EventCounts } from "./event-counts.js";
import type { EventSink, EventSubscription } from "./event-subscription.js";

export interface PostOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Durable notifications: what is posted is kept by the broker and handed to one subscriber at a time, until one of them
 * acknowledges it or its retry schedule is used up.
 */
export interface EventService extends Closeable {
  /** The queue that holds the events. */
  readonly queue: string;
  readonly maxEventBytes: number;
  readonly counts: EventCounts;
  /**
   * Resolves once the broker took responsibility. Rejects with `INVALID_ARGUMENT` or `TOO_LARGE` for what can never be
   * posted, `UNSUPPORTED` for a future date where the adapter cannot delay, `UNAVAILABLE` when the broker did not confirm
   * in time (the event may be stored), `REJECTED` while 10,000 posts or 256 MiB wait for it already, `CLOSED` once the service closes. Always settles.
   */
  post(event: OutgoingEvent, options?: PostOptions): Promise<void>;
  /**
   * From now on the sink gets its share of the events: each event goes to one subscriber, the one with the least
   * outstanding, and none has more than its credit. A newer subscription of the same client ends this one. Also takes
   * effect while the broker is away: `state` is then `"recovering"`. Throws `INVALID_ARGUMENT` for a client id of more
   * than 256 bytes, and `CLOSED` once the service closes.
   *
   * `close()` hands over nothing more and waits for the acks of what is out, up to `drainMs`. When `options.signal` aborts,
   * the subscriber is gone: what it holds goes to others at once.
   */
  subscribe(clientId: string, sink: EventSink, options?: EventSubscribeOptions): EventSubscription;
  /**
   * Ends the attempt with this token: true = done; false = failed, the next step of the retry schedule. Always resolves,
   * within the settle timeout, with what it came to.
   */
  ack(ackToken: string, success: boolean): Promise<AckOutcome>;
  /** Ends the client's subscription, and resolves when its sink has been ended, in bounded time. An unknown client is fine. */
  closeClient(clientId: string): Promise<void>;
}

export interface EventSubscribeOptions {
  readonly signal?: AbortSignal | undefined;
}
