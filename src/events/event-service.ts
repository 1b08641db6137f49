import type { Inspection } from "../ports/inspection.js";
import type { Closeable } from "../ports/lifecycle.js";
import type { AckOutcome } from "./ack-outcome.js";
import type { OutgoingEvent } from "./event.js";
import type { EventCounts } from "./event-counts.js";
import type { EventSink, EventSubscription } from "./event-subscription.js";

export interface PostOptions {
  /**
   * Names this post: a second one with the same id within 10 minutes stores nothing and settles as the first does; a first
   * one that was refused does not count. Exact, also through a restart, where the adapter has the capability
   * `deduplication`; elsewhere as far as this server remembers: posts that reach two servers are stored twice. Text as a
   * user token, not empty. Default: each post is stored.
   */
  readonly postId?: string | undefined;
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
   * Whether the broker would take a post now. False while the connection to it is made, lost or blocked, and from when the
   * service closes: a post waits then, and fails in the end. True before the first post and subscribe, which open it.
   */
  readonly available: boolean;
  /** For operators. Undefined where the adapter cannot look into queues. */
  readonly inspection: Inspection | undefined;
  /**
   * Resolves once the broker took responsibility. Rejects with `INVALID_ARGUMENT` or `TOO_LARGE` for what can never be
   * posted, `UNSUPPORTED` for a future date where the adapter cannot delay, `UNAVAILABLE` when the broker did not confirm
   * in time (the event may be stored), `REJECTED` while 10,000 posts or 256 MiB wait for it already, `CLOSED` once the
   * service closes. Always settles. Under a post id, aborting the signal ends the wait only: the post itself goes on.
   */
  post(event: OutgoingEvent, options?: PostOptions): Promise<void>;
  /**
   * From now on the sink gets its share of the events: each event goes to one subscriber, the one with the least
   * outstanding, and none has more than its credit. A newer subscription of the same client ends this one. Also takes
   * effect while the broker is away: `state` is then `"recovering"`. Throws `INVALID_ARGUMENT` for a client id of more
   * than 256 bytes, or a credit that is no whole number ≥ 0, and `CLOSED` once the service closes.
   *
   * A client's subscription that comes within the subscribe interval (a second) after its last one waits until that is
   * over, `"recovering"`, and gets nothing till then. Of several that wait the newest takes effect; the others end as if
   * replaced, each no sooner than an interval after it came. A subscriber that ends while it holds events passes them on
   * at once; one that is lost with what it holds, gone or replaced, counts as a loss for each, and an event with three
   * losses in a row takes a step of the retry schedule, longer by chance by up to as much again, 1 s to 60 s.
   *
   * `close()` hands over nothing more and waits for the acks of what is out, up to `drainMs`. When `options.signal` aborts,
   * the subscriber is gone: what it holds goes to others at once.
   */
  subscribe(clientId: string, sink: EventSink, options?: EventSubscribeOptions): EventSubscription;
  /**
   * Ends the attempt with this token: true = done; false = failed, the next step of the retry schedule. Always resolves,
   * in bounded time, with what it came to.
   *
   * A token that another server of the queue gave is passed on to it, and its answer awaited for up to 2 seconds. When
   * none comes and `success` is true, the event is taken as done all the same: in a store that every server reaches
   * (capability `inspection: "all"`) for good, which is `"acked"`; elsewhere all servers are told, as far as they can be
   * reached, and keep it from being sent again for 10 minutes, which is `"unresolved"`. This concerns what was posted by
   * an event service: any other message of the queue comes again. A token of another queue is `"unknown"`.
   */
  ack(ackToken: string, success: boolean): Promise<AckOutcome>;
  /**
   * Ends the client's subscription, also one that waits, and resolves when its sink has been ended, in bounded time. The
   * other servers of the queue are told to do the same; when the client is not held here, the answer of one that holds it
   * is awaited for up to a second. An unknown client is fine.
   */
  closeClient(clientId: string): Promise<void>;
}

export interface EventSubscribeOptions {
  /**
   * `"adaptive"` (default): the subscriber holds at most as many unacknowledged events as it has shown to be able to
   * handle: 3 at first, 1 more for each prompt ack up to 100, half of that after a time-out. A number: so many events may
   * be handed over in all, until `setCredit` raises that; at most 1,000 unacknowledged at once.
   */
  readonly credit?: "adaptive" | number | undefined;
  readonly signal?: AbortSignal | undefined;
}
