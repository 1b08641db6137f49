import { observeWith } from "../core/observe.js";
import { SharedTimers } from "../core/request/shared-timers.js";
import { systemClock } from "../core/system-clock.js";
import { systemRandom } from "../core/system-random.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Clock, Random } from "../ports/clock.js";
import type { Inspection } from "../ports/inspection.js";
import type { CloseOptions } from "../ports/lifecycle.js";
import type { Messaging } from "../ports/messaging.js";
import type { Observer } from "../ports/observer.js";
import { onAbort } from "../util/abort.js";
import { deferred } from "../util/deferred.js";
import type { AckOutcome } from "./ack-outcome.js";
import { Admission } from "./admission.js";
import { ConcurrencyFollower } from "./concurrency-follower.js";
import { AdaptiveCredit, type Credit, ExplicitCredit } from "./credit.js";
import { Dispatcher } from "./dispatcher.js";
import type { OutgoingEvent } from "./event.js";
import { type EventCounts, newTally } from "./event-counts.js";
import { newMark } from "./event-mark.js";
import { textFault, toQueuedEvent } from "./event-message.js";
import { EventPosts } from "./event-posts.js";
import type { EventService, EventSubscribeOptions, PostOptions } from "./event-service.js";
import type { EventSink, EventSubscription } from "./event-subscription.js";
import { Intake } from "./intake.js";
import { type EventOptions, type ResolvedEventOptions, resolveEventOptions } from "./options.js";
import { OtherServers } from "./other-servers.js";
import { type Leaving, Subscriber } from "./subscriber.js";
import { Subscribers } from "./subscribers.js";

export interface EventServiceOptions extends EventOptions {
  /** Not closed by the service, which closes itself when it closes. */
  readonly messaging: Messaging;
  readonly observers?: readonly Observer[] | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
}

/** Throws `INVALID_ARGUMENT` that names all faults of the options. Opens nothing: the first post or subscribe does. */
export function createEventService(options: EventServiceOptions): EventService {
  return new QueueEventService(options);
}

class QueueEventService implements EventService {
  readonly closed: Promise<Error | undefined>;
  readonly #options: ResolvedEventOptions;
  readonly #messaging: Messaging;
  readonly #clock: SharedTimers;
  readonly #random: Random;
  readonly #observe: Observer;
  readonly #tally = newTally();
  readonly #subscribers = new Subscribers();
  readonly #dispatcher: Dispatcher;
  readonly #intake: Intake;
  readonly #follower: ConcurrencyFollower;
  readonly #admission: Admission;
  readonly #others: OtherServers;
  readonly #posts: EventPosts;
  readonly #closed = deferred<Error | undefined>();
  #closing: Promise<void> | undefined;
  #isUsed = false;

  constructor({
    messaging,
    observers = [],
    clock = systemClock,
    random = systemRandom,
    ...options
  }: EventServiceOptions) {
    this.#options = resolveEventOptions(options, messaging.capabilities);
    this.#messaging = messaging;
    this.#clock = new SharedTimers(clock);
    this.#random = random;
    this.#observe = observeWith(observers);
    this.closed = this.#closed.promise;
    const { creditPerSubscriber: base, subscribeIntervalMs: intervalMs } = this.#options;
    const { deadLetter: deadLetters, deduplication } = messaging.capabilities.queue;
    const queue = messaging.queue(this.#options.queue);
    const parts = { clock: this.#clock, random, observe: this.#observe };
    this.#others = new OtherServers({
      ...parts,
      messaging,
      events: this.#options,
      tally: this.#tally,
      own: {
        gave: (token) => this.#dispatcher.gave(token),
        ack: (token, success) => this.#dispatcher.ack(token, success),
        settleDone: (identity) => this.#dispatcher.settleDone(identity),
        holds: (clientId, ageMs) => this.#streamsOf(clientId, ageMs).length > 0,
        closeClient: (clientId, ageMs) => this.#closeHere(clientId, ageMs),
      },
    });
    this.#dispatcher = new Dispatcher({
      ...this.#options,
      ...parts,
      timers: this.#clock,
      subscribers: this.#subscribers,
      done: this.#others.done,
      tally: this.#tally,
      nodeId: messaging.nodeId,
      deadLetters,
      ackElsewhere: (token, success) => this.#others.ack(token, success),
    });
    this.#intake = new Intake({
      ...parts,
      queue,
      handle: (delivery) => this.#dispatcher.handle(delivery),
    });
    this.#follower = new ConcurrencyFollower({
      ...parts,
      base,
      demand: () => this.#subscribers.demand,
      apply: (concurrency) => this.#setConcurrency(concurrency),
    });
    this.#admission = new Admission({ ...parts, intervalMs, admit: (subscriber) => this.#admit(subscriber) });
    this.#posts = new EventPosts({ ...this.#options, ...parts, queue, tally: this.#tally, deduplication });
    void messaging.closed.then((error) =>
      this.#shut(
        { drainMs: 0 },
        error ?? new MessagingError("CLOSED", "the Messaging of the event service was closed"),
      ),
    );
  }

  get inspection(): Inspection | undefined {
    return this.#messaging.inspection;
  }

  get queue(): string {
    return this.#options.queue;
  }

  get available(): boolean {
    const { state, blocked } = this.#messaging;
    // Once something was asked, idle is what a first connect that failed leaves until the control channel tries again.
    const isReady = state === "open" || (state === "idle" && !this.#isUsed);
    return this.#closing === undefined && isReady && !blocked;
  }

  get maxEventBytes(): number {
    return this.#options.maxEventBytes;
  }

  get counts(): EventCounts {
    const { outstanding, waiting } = this.#dispatcher;
    const { open: subscribers } = this.#subscribers;
    const { waiting: waitingSubscribes } = this.#admission;
    return Object.freeze({ ...this.#tally, subscribers, waitingSubscribes, outstanding, waiting });
  }

  post(event: OutgoingEvent, options: PostOptions = {}): Promise<void> {
    const { maxEventBytes } = this.#options;
    try {
      this.#throwIfClosing("post");
      const queued = toQueuedEvent(event, { now: this.#clock.now(), mark: newMark(this.#random), maxEventBytes });
      // Whoever posts may subscribe later, and is not to deliver then what others say is done.
      this.#use();
      return this.#posts.post(queued, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  subscribe(
    clientId: string,
    sink: EventSink,
    { credit = "adaptive", signal }: EventSubscribeOptions = {},
  ): EventSubscription {
    this.#throwIfClosing("subscribe");
    const fault = textFault("the client id", clientId);
    if (fault !== undefined) throw new MessagingError("INVALID_ARGUMENT", fault);
    const subscriber = new Subscriber({
      clientId,
      sink,
      clock: this.#clock,
      credit: this.#creditOf(credit),
      endTimeoutMs: this.#options.endTimeoutMs,
      isLive: () => this.#intake.isLive,
      onCredit: () => this.#onCredit(),
      onIntakeEnd: (ending) => this.#onIntakeEnd(ending),
      onLeave: (leaving, how) => this.#onLeave(leaving, how),
    });
    this.#subscribers.add(subscriber);
    this.#use();
    this.#admission.request(subscriber);
    const gone = (): void => void subscriber.leave("gone", new MessagingError("ABORTED", `${clientId} is gone`));
    const forget = onAbort(signal, gone);
    void subscriber.closed.then(() => {
      forget();
      this.#subscribers.forget(subscriber);
    });
    return subscriber;
  }

  ack(ackToken: string, success: boolean): Promise<AckOutcome> {
    return this.#dispatcher.ack(ackToken, success);
  }

  async closeClient(clientId: string): Promise<void> {
    const isHere = this.#streamsOf(clientId, 0).length > 0;
    const closed = this.#others.closeClient(clientId);
    // What else it has elsewhere ends soon, too; the answer need not wait for that.
    await (isHere ? this.#closeHere(clientId, 0) : closed);
  }

  close(options: CloseOptions = {}): Promise<void> {
    return this.#shut(options, undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** From now on until the service closes, the control channel connects again and again. */
  #use(): void {
    this.#isUsed = true;
    this.#others.listen();
  }

  #creditOf(credit: "adaptive" | number): Credit {
    return credit === "adaptive" ? new AdaptiveCredit(this.#options) : new ExplicitCredit(credit);
  }

  /** Its time has come: it takes events, in place of the client's older one. */
  #admit(subscriber: Subscriber): void {
    const { clientId } = subscriber;
    subscriber.begin();
    const replaced = this.#subscribers.begin(subscriber);
    this.#observe({ type: "event-subscriber", clientId, change: "joined", unacknowledged: 0 });
    // The new one is there first, so that it may take over at once what the old one held.
    void replaced?.leave("replaced");
    this.#follower.joined();
    this.#dispatcher.pump();
  }

  #onCredit(): void {
    this.#follower.touch();
    this.#dispatcher.pump();
  }

  #onIntakeEnd(subscriber: Subscriber): void {
    this.#subscribers.end(subscriber);
    if (this.#subscribers.open === 0) {
      this.#follower.pause();
      this.#dispatcher.releaseWaiting();
    } else {
      this.#onCredit();
    }
  }

  #setConcurrency(concurrency: number): void {
    if (!this.#options.deliver) return;
    // Before anything is given back: with nobody to take it the broker would hand it straight to us again.
    this.#intake.setConcurrency(concurrency);
    if (concurrency === 0) this.#dispatcher.releaseWaiting();
  }

  #onLeave(subscriber: Subscriber, how: Leaving): void {
    const { clientId, outstanding } = subscriber;
    this.#admission.forget(subscriber);
    if (!subscriber.hasBegun) return;
    this.#observe({ type: "event-subscriber", clientId, change: how, unacknowledged: outstanding.size });
    this.#subscribers.free(subscriber);
    this.#dispatcher.takeFrom(subscriber, how);
  }

  #streamsOf(clientId: string, ageMs: number): readonly Subscriber[] {
    const latest = this.#clock.now() - ageMs;
    return this.#subscribers.ofClient(clientId).filter(({ cameAt }) => cameAt <= latest);
  }

  async #closeHere(clientId: string, ageMs: number): Promise<void> {
    await Promise.all(this.#streamsOf(clientId, ageMs).map((subscriber) => subscriber.leave("closed")));
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
    this.#follower.stop();
    this.#dispatcher.stop();
    await Promise.all([this.#intake.close({ drainMs, signal }), this.#posts.done(drainMs, signal)]);
    await Promise.all(this.#subscribers.all.map((subscriber) => subscriber.leave("drained")));
    await this.#others.close();
    this.#closed.resolve(error);
  }
}
