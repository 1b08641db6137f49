import type { Closeable, CloseOptions } from "../../../src/ports/lifecycle.js";
import type { EventsSubscription } from "./client-subscription.js";
import type { EventHandler, PostEventOptions } from "./event.js";
import type { EventsClientState } from "./notice.js";
import type { EventToPost, PostManyResult } from "./post-many.js";

export interface PostManyOptions {
  /** For all of them. Overrides the client's `postTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SubscribeEventsOptions {
  /** Handlers that run at once, from 1 to 1,000, which is the most that a server hands one subscriber. Default 1. */
  readonly concurrency?: number | undefined;
  /** Aborts the set-up; once there, closes the subscription. */
  readonly signal?: AbortSignal | undefined;
  /** Called exactly once, when the subscription is over: with why, unless it was closed. What it throws is dropped. */
  readonly onClosed?: ((cause: Error | undefined) => void) | undefined;
}

/** Posts events to an event service and receives them, through losses of the connection and of the server. */
export interface EventsClient extends Closeable {
  readonly clientId: string;
  /** Of the subscription: `closed` → `connected` ⇄ `disconnected` → `closed`. */
  readonly state: EventsClientState;
  /**
   * Resolves once the server has stored the event; bytes, which must be UTF-8, as they are, anything else as JSON. Tried
   * again under the same post id, with back-off, until `postTimeoutMs`; what cannot succeed is not tried again. Rejects
   * with `INVALID_ARGUMENT`, `TOO_LARGE`, `UNAUTHENTICATED`, `PERMISSION_DENIED`, …; `UNAVAILABLE`, or the code of the
   * last failure, when the time is over; `ABORTED` by the signal; `CLOSED` by `close()`; after these three the event may
   * be stored. `REJECTED` while 10,000 posts are under way already. Always settles.
   */
  post(body: unknown, options?: PostEventOptions): Promise<void>;
  /**
   * Posts up to 100,000 events on one stream, where the server has it, and resolves with a result for each, in their order;
   * otherwise as `post`, each under its own id. Rejects with `INVALID_ARGUMENT`, before anything is posted, if one of
   * them cannot be.
   */
  postMany(events: readonly EventToPost[], options?: PostManyOptions): Promise<readonly PostManyResult[]>;
  /**
   * Receives events, one subscription at a time: each is acknowledged when the handler has returned, and refused when it
   * throws. Resolves once a server has taken the subscription; from then on it comes back by itself after every loss, for
   * up to `resubscribeMs` in a row. Rejects with what cannot heal, otherwise with `UNAVAILABLE` after `connectTimeoutMs`;
   * `ABORTED` by the signal, `CLOSED` by `close()`, `ALREADY_EXISTS` while there is another.
   */
  subscribe(handler: EventHandler, options?: SubscribeEventsOptions): Promise<EventsSubscription>;
  /**
   * Takes no more events, waits for the handlers that run, up to `drainMs`, and tells the server; they may post until
   * then. Posts that are still under way after that are given up. Prompt in every state: of several calls, the earliest
   * deadline counts, that of a subscription's own `close` among them. Never rejects.
   *
   * An event that comes while handlers still run goes to others, and no attempt of it is used up: for that the stream
   * ends 0.3 s after it came. What the handlers still hold then may go to others too, so their signals abort; they have
   * their time all the same.
   */
  close(options?: CloseOptions): Promise<void>;
}
