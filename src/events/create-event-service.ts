import { observeWith } from "../core/observe.js";
import { systemClock } from "../core/system-clock.js";
import { systemRandom } from "../core/system-random.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Clock, Random } from "../ports/clock.js";
import type { CloseOptions } from "../ports/lifecycle.js";
import type { Messaging } from "../ports/messaging.js";
import type { Observer } from "../ports/observer.js";
import type { Queue } from "../ports/queue.js";
import { onAbort } from "../util/abort.js";
import { deferred } from "../util/deferred.js";
import { type AckOutcome, Dispatcher } from "./dispatcher.js";
import type { OutgoingEvent } from "./event.js";
import { type EventCounts, newTally } from "./event-counts.js";
import { textFault, toQueuedEvent } from "./event-message.js";
import type { EventService, EventSubscribeOptions, PostOptions } from "./event-service.js";
import type { EventSink, EventSubscription } from "./event-subscription.js";
import { Intake } from "./intake.js";
import { type EventOptions, type ResolvedEventOptions, resolveEventOptions } from "./options.js";
import { type Leaving, Subscriber } from "./subscriber.js";
import { Subscribers } from "./subscribers.js";
import { within } from "./within.js";

export interface EventServiceOptions extends EventOptions {
  /** Not closed by the service, which closes itself when it closes. */
  readonly messaging: Messaging;
  readonly observers?: readonly Observer[] | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
}

/** What may wait for the broker at once, since each waiting post holds its event. */
const MAX_POSTS = 10_000;
const MAX_POST_BYTES = 268_435_456;

/** Throws `INVALID_ARGUMENT` that names all faults of the options. Opens nothing: the first post or subscribe does. */
export function createEventService(options: EventServiceOptions): EventService {
  return new QueueEventService(options);
}

class QueueEventService implements EventService {
  readonly closed: Promise<Error | undefined>;
  readonly #options: ResolvedEventOptions;
  readonly #queue: Queue;
  readonly #clock: Clock;
  readonly #observe: Observer;
  readonly #tally = newTally();
  readonly #subscribers = new Subscribers();
  readonly #dispatcher: Dispatcher;
  readonly #intake: Intake;
  readonly #closed = deferred<Error | undefined>();
  #closing: Promise<void> | undefined;
  #posting = 0;
  #postingBytes = 0;
  #onPostsDone: () => void = () => {};

  constructor({
    messaging,
    observers = [],
    clock = systemClock,
    random = systemRandom,
    ...options
  }: EventServiceOptions) {
    this.#options = resolveEventOptions(options, messaging.capabilities);
    this.#queue = messaging.queue(this.#options.queue);
    this.#clock = clock;
    this.#observe = observeWith(observers);
    this.closed = this.#closed.promise;
    const parts = { clock, random, observe: this.#observe };
    this.#dispatcher = new Dispatcher({
      ...this.#options,
      ...parts,
      subscribers: this.#subscribers,
      tally: this.#tally,
      nodeId: messaging.nodeId,
      deadLetters: messaging.capabilities.queue.deadLetter,
    });
    this.#intake = new Intake({
      ...parts,
      queue: this.#queue,
      handle: (delivery) => this.#dispatcher.handle(delivery),
    });
    void messaging.closed.then((error) =>
      this.#shut(
        { drainMs: 0 },
        error ?? new MessagingError("CLOSED", "the Messaging of the event service was closed"),
      ),
    );
  }

  get queue(): string {
    return this.#options.queue;
  }

  get maxEventBytes(): number {
    return this.#options.maxEventBytes;
  }

  get counts(): EventCounts {
    const { outstanding, waiting } = this.#dispatcher;
    return Object.freeze({ ...this.#tally, subscribers: this.#subscribers.open, outstanding, waiting });
  }

  async post(event: OutgoingEvent, { signal }: PostOptions = {}): Promise<void> {
    this.#throwIfClosing("post");
    const { maxEventBytes, postTimeoutMs: timeoutMs } = this.#options;
    const { message, delayMs } = toQueuedEvent(event, this.#clock.now(), maxEventBytes);
    const { byteLength } = event.body;
    if (this.#posting >= MAX_POSTS || this.#postingBytes + byteLength > MAX_POST_BYTES) {
      this.#tally.postsFailed += 1;
      throw new MessagingError("REJECTED", `post: ${this.#posting} posts wait for the broker already; try again later`);
    }
    this.#posting += 1;
    this.#postingBytes += byteLength;
    try {
      await this.#queue.publish(message, { delayMs, timeoutMs, signal });
      this.#tally.posted += 1;
    } catch (error) {
      this.#tally.postsFailed += 1;
      throw error;
    } finally {
      this.#posting -= 1;
      this.#postingBytes -= byteLength;
      if (this.#posting === 0) this.#onPostsDone();
    }
  }

  subscribe(clientId: string, sink: EventSink, { signal }: EventSubscribeOptions = {}): EventSubscription {
    this.#throwIfClosing("subscribe");
    const fault = textFault("the client id", clientId);
    if (fault !== undefined) throw new MessagingError("INVALID_ARGUMENT", fault);
    const subscriber = new Subscriber({
      clientId,
      sink,
      clock: this.#clock,
      credit: this.#options.creditPerSubscriber,
      endTimeoutMs: this.#options.endTimeoutMs,
      isLive: () => this.#intake.isLive,
      onIntakeEnd: () => this.#onSubscribersChanged(),
      onLeave: (leaving, how) => this.#onLeave(leaving, how),
    });
    const replaced = this.#subscribers.add(subscriber);
    this.#observe({ type: "event-subscriber", clientId, change: "joined", unacknowledged: 0 });
    // The new one first: the number of subscribers stays as it is, and it may take over at once what the old one held.
    void replaced?.leave("replaced");
    this.#onSubscribersChanged();
    const gone = (): void => void subscriber.leave("gone", new MessagingError("ABORTED", `${clientId} is gone`));
    const forget = onAbort(signal, gone);
    void subscriber.closed.then(forget);
    return subscriber;
  }

  async ack(ackToken: string, success: boolean): Promise<AckOutcome> {
    return this.#dispatcher.ack(ackToken, success);
  }

  async closeClient(clientId: string): Promise<void> {
    await Promise.all(this.#subscribers.ofClient(clientId).map((subscriber) => subscriber.leave("closed")));
  }

  close(options: CloseOptions = {}): Promise<void> {
    return this.#shut(options, undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onSubscribersChanged(): void {
    const { open } = this.#subscribers;
    // Before anything is given back: with no subscriber left the broker would hand it straight to us again.
    this.#intake.setConcurrency(open * this.#options.creditPerSubscriber);
    if (open === 0) this.#dispatcher.releaseWaiting();
    else this.#dispatcher.pump();
  }

  #onLeave(subscriber: Subscriber, how: Leaving): void {
    const { clientId, outstanding } = subscriber;
    this.#observe({ type: "event-subscriber", clientId, change: how, unacknowledged: outstanding.size });
    this.#subscribers.free(subscriber);
    this.#dispatcher.takeFrom(subscriber, how);
    void subscriber.closed.then(() => this.#subscribers.forget(subscriber));
  }

  #throwIfClosing(what: string): void {
    if (this.#closing === undefined) return;
    throw new MessagingError("CLOSED", `${what}: this event service is closing; use another server`);
  }

  #shut(options: CloseOptions, error: Error | undefined): Promise<void> {
    this.#closing ??= this.#drain(options, error);
    return this.#closing;
  }

  async #drain({ drainMs = 30_000, signal }: CloseOptions, error: Error | undefined): Promise<void> {
    this.#dispatcher.stop();
    await Promise.all([this.#intake.close({ drainMs, signal }), this.#postsDone(drainMs, signal)]);
    await Promise.all(this.#subscribers.all.map((subscriber) => subscriber.leave("drained")));
    this.#closed.resolve(error);
  }

  /** A post that is under way is answered by the port, in bounded time. */
  async #postsDone(drainMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#posting === 0) return;
    const done = deferred<void>();
    this.#onPostsDone = done.resolve;
    const forget = onAbort(signal, done.resolve);
    await within(this.#clock, drainMs, done.promise);
    forget();
  }
}
