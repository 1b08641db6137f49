import type { MessagingError } from "../errors/messaging-error.js";
import type { SubscriptionState } from "../ports/broadcast.js";
import type { Clock } from "../ports/clock.js";
import type { CloseOptions } from "../ports/lifecycle.js";
import { onAbort } from "../util/abort.js";
import { deferred } from "../util/deferred.js";
import type { Credit } from "./credit.js";
import type { DeliveredEvent } from "./event.js";
import type { EventSink, EventSubscription } from "./event-subscription.js";
import type { EventHolder, TrackedEvent } from "./tracked-event.js";
import { within } from "./within.js";

/**
 * How a subscriber leaves. `replaced` and `gone` are losses, since an event may have been the cause. One that says goodbye,
 * `closed`, was not felled by what it held, and `drained` is our own doing.
 */
export type Leaving = "replaced" | "closed" | "gone" | "drained";

export interface SubscriberOptions {
  readonly clientId: string;
  readonly sink: EventSink;
  readonly clock: Clock;
  readonly credit: Credit;
  readonly endTimeoutMs: number;
  /** Whether events can come at all: the consumer is live. */
  isLive(): boolean;
  /** It may be handed more, or less, than before. */
  onCredit(): void;
  /** It takes no more; called once, before `onLeave` or with it, if it has begun. */
  onIntakeEnd(subscriber: Subscriber): void;
  /** Called once: what it holds is to be taken from it. */
  onLeave(subscriber: Subscriber, how: Leaving): void;
}

/** One stream of events to one client, from its coming: it waits to be let in, takes events, and ends. */
export class Subscriber implements EventSubscription, EventHolder {
  readonly clientId: string;
  readonly closed: Promise<Error | undefined>;
  readonly cameAt: number;
  /** It cannot take another just now: the last one has not found room yet. */
  busy = false;
  /** The number of the hand-over that it had last. */
  lastServed = 0;
  readonly #options: SubscriberOptions;
  readonly #outstanding = new Set<TrackedEvent>();
  readonly #closed = deferred<Error | undefined>();
  #lifecycle: "waiting" | "open" | "draining" | "ending" | "closed" = "waiting";
  #hasBegun = false;
  #onEmpty: () => void = () => {};
  #draining: Promise<void> | undefined;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.clientId = options.clientId;
    this.cameAt = options.clock.now();
    this.closed = this.#closed.promise;
  }

  get state(): SubscriptionState {
    if (this.#lifecycle === "closed") return "closed";
    if (this.#lifecycle === "waiting") return "recovering";
    if (this.#lifecycle !== "open") return "closing";
    return this.#options.isLive() ? "live" : "recovering";
  }

  /** Whether it ever took events. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  get isOpen(): boolean {
    return this.#lifecycle === "open";
  }

  get hasRoom(): boolean {
    if (!this.isOpen || this.busy) return false;
    const outstanding = this.#outstanding.size;
    return outstanding < this.#options.credit.most(outstanding);
  }

  /** How many events it may hold at once; more than that, while it still does. */
  get demand(): number {
    const outstanding = this.#outstanding.size;
    return Math.max(outstanding, this.#options.credit.most(outstanding));
  }

  get outstanding(): ReadonlySet<TrackedEvent> {
    return this.#outstanding;
  }

  /** It is let in: from now on it takes events. */
  begin(): void {
    this.#lifecycle = "open";
    this.#hasBegun = true;
  }

  take(event: TrackedEvent): void {
    this.#outstanding.add(event);
    this.#options.credit.onHandedOver();
  }

  giveBack(event: TrackedEvent): void {
    this.#outstanding.delete(event);
    if (this.#outstanding.size === 0) this.#onEmpty();
  }

  onAcked(afterMs: number): void {
    this.#options.credit.onAcked(afterMs);
    this.#options.onCredit();
  }

  onTimedOut(): void {
    this.#options.credit.onTimedOut();
    this.#options.onCredit();
  }

  setCredit(total: number): void {
    this.#options.credit.setTotal(total);
    if (this.isOpen) this.#options.onCredit();
  }

  /** Rejects where the sink throws. */
  deliver(event: DeliveredEvent): boolean | Promise<boolean> {
    try {
      return this.#options.sink.deliver(event);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  close(options: CloseOptions = {}): Promise<void> {
    this.#draining ??= this.#drain(options);
    return this.#draining;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Leaves now, and resolves once its stream has ended. Never rejects. */
  async leave(how: Leaving, error?: MessagingError): Promise<void> {
    if (this.#lifecycle !== "ending" && this.#lifecycle !== "closed") {
      const takesEvents = this.isOpen;
      this.#lifecycle = "ending";
      if (takesEvents) this.#options.onIntakeEnd(this);
      this.#options.onLeave(this, how);
      this.#onEmpty();
      void this.#endSink(error);
    }
    await this.closed;
  }

  async #drain({ drainMs = 30_000, signal }: CloseOptions): Promise<void> {
    if (this.isOpen) {
      this.#lifecycle = "draining";
      this.#options.onIntakeEnd(this);
    }
    if (this.#lifecycle === "draining" && this.#outstanding.size > 0 && drainMs > 0) {
      const over = deferred<void>();
      this.#onEmpty = () => over.resolve();
      const forget = onAbort(signal, () => over.resolve());
      await within(this.#options.clock, drainMs, over.promise);
      forget();
    }
    await this.leave("drained");
  }

  async #endSink(error: MessagingError | undefined): Promise<void> {
    const { sink, clock, endTimeoutMs } = this.#options;
    try {
      // A stream that its reader does not drain never ends: the wait is bounded.
      await within(clock, endTimeoutMs, Promise.resolve(sink.end?.()));
    } catch {
      // A sink that cannot end has ended.
    }
    this.#lifecycle = "closed";
    this.#closed.resolve(error);
  }
}
