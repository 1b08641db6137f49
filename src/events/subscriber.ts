import type { MessagingError } from "../errors/messaging-error.js";
import type { SubscriptionState } from "../ports/broadcast.js";
import type { Clock } from "../ports/clock.js";
import type { CloseOptions } from "../ports/lifecycle.js";
import { onAbort } from "../util/abort.js";
import { deferred } from "../util/deferred.js";
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
  readonly credit: number;
  readonly endTimeoutMs: number;
  /** Whether events can come at all: the consumer is live. */
  isLive(): boolean;
  /** It takes no more; called once, before `onLeave` or with it. */
  onIntakeEnd(subscriber: Subscriber): void;
  /** Called once: what it holds is to be taken from it. */
  onLeave(subscriber: Subscriber, how: Leaving): void;
}

/** One stream of events to one client. */
export class Subscriber implements EventSubscription, EventHolder {
  readonly clientId: string;
  readonly closed: Promise<Error | undefined>;
  /** It cannot take another just now: the last one has not found room yet. */
  busy = false;
  /** The number of the hand-over that it had last. */
  lastServed = 0;
  readonly #options: SubscriberOptions;
  readonly #outstanding = new Set<TrackedEvent>();
  readonly #closed = deferred<Error | undefined>();
  #lifecycle: "open" | "draining" | "ending" | "closed" = "open";
  #onEmpty: () => void = () => {};
  #draining: Promise<void> | undefined;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.clientId = options.clientId;
    this.closed = this.#closed.promise;
  }

  get state(): SubscriptionState {
    if (this.#lifecycle === "closed") return "closed";
    if (this.#lifecycle !== "open") return "closing";
    return this.#options.isLive() ? "live" : "recovering";
  }

  get isOpen(): boolean {
    return this.#lifecycle === "open";
  }

  get hasRoom(): boolean {
    return this.isOpen && !this.busy && this.#outstanding.size < this.#options.credit;
  }

  get outstanding(): ReadonlySet<TrackedEvent> {
    return this.#outstanding;
  }

  take(event: TrackedEvent): void {
    this.#outstanding.add(event);
  }

  giveBack(event: TrackedEvent): void {
    this.#outstanding.delete(event);
    if (this.#outstanding.size === 0) this.#onEmpty();
  }

  deliver(event: DeliveredEvent): Promise<boolean> {
    return this.#options.sink.deliver(event);
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
    if (this.#lifecycle === "open" || this.#lifecycle === "draining") {
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
      this.#onEmpty = over.resolve;
      const forget = onAbort(signal, over.resolve);
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
