import type { DriverConnection, DriverConsumer, QueueSpec, WireDelivery } from "../driver/driver.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Codec } from "../ports/codec.js";
import type { CloseOptions } from "../ports/lifecycle.js";
import type { Consumer, ConsumerState, DeliveryHandler } from "../ports/queue.js";
import { Chain } from "../util/chain.js";
import type { Ending } from "../util/ending.js";
import { ActiveDelivery } from "./active-delivery.js";
import type { CoreContext } from "./core-context.js";
import { HandlerRuns } from "./handler-runs.js";
import { HandlerSlots } from "./handler-slots.js";
import { HoldWatch } from "./hold-watch.js";
import { invalid, isCount, type ResolvedConsumeOptions } from "./options.js";
import { PrefetchControl } from "./prefetch-control.js";
import { Settler } from "./settler.js";
import { type PortState, SupervisedPort } from "./supervised-port.js";
import { INTERRUPTED, NOT_STARTED, type Verdict, verdictOfError } from "./verdict.js";
import { WaitingDeliveries } from "./waiting-deliveries.js";

/** A consumer that outlives channels, connections and brokers. */
export class PortableConsumer<T> implements Consumer {
  readonly closed: Promise<Error | undefined>;
  readonly #context: CoreContext;
  readonly #spec: QueueSpec;
  readonly #options: ResolvedConsumeOptions;
  readonly #port: SupervisedPort<DriverConsumer>;
  readonly #settler: Settler;
  readonly #waiting: WaitingDeliveries;
  readonly #slots: HandlerSlots;
  readonly #runs: HandlerRuns<T>;
  readonly #prefetch: PrefetchControl;
  /** Whatever arrived and is not settled, in the order of arrival: waiting, running, held for a retry, or being settled. */
  readonly #active = new Chain<ActiveDelivery>();
  readonly #holdWatch: HoldWatch | undefined;
  #observed: ConsumerState | undefined;

  constructor(
    context: CoreContext,
    spec: QueueSpec,
    codec: Codec<T>,
    handler: DeliveryHandler<T>,
    options: ResolvedConsumeOptions,
  ) {
    this.#context = context;
    this.#spec = spec;
    this.#options = options;
    this.#waiting = new WaitingDeliveries(context.clock, options.maxDeliveries, () => this.#pump());
    this.#slots = new HandlerSlots(options.concurrency);
    this.#runs = new HandlerRuns<T>({
      context,
      queue: spec.name,
      codec,
      handler,
      onEnd: (delivery, verdict) => this.#onHandled(delivery, verdict),
    });
    this.#settler = new Settler(context, spec, options, (delivery) => this.#onSettled(delivery));
    this.#prefetch = new PrefetchControl({
      clock: context.clock,
      queue: spec.name,
      life: () => (this.#port.isClosing ? undefined : this.#port.life),
      wanted: () => this.#wantedPrefetch,
      // Only now: given back any sooner, the broker would hand it straight to us again.
      onApplied: () => {
        if (this.#slots.count === 0) this.#giveBackWaiting();
      },
    });
    this.#holdWatch = this.#watchHolds(context.driver.capabilities.queue.holdMs);
    this.#port = new SupervisedPort<DriverConsumer>(context, {
      what: options.lane === undefined ? `consume ${spec.name}` : `consume ${spec.name}, lane ${options.lane}`,
      owner: this,
      create: (connection, onLost, lost) => this.#create(connection, onLost, lost),
      onState: (state, error) => this.#onState(state, error),
      onClosing: () => {
        this.#giveBackWaiting();
        this.#settler.endHolds();
      },
      left: () => this.#active.size,
      interrupt: () => {
        for (const delivery of this.#running) delivery.abort(new MessagingError("CLOSED", "the drain time is over"));
      },
      abandon: () => {
        for (const delivery of this.#running) {
          delivery.disown();
          this.#settler.settle(delivery, INTERRUPTED);
        }
      },
    });
    this.closed = this.#port.closed;
  }

  get inFlight(): number {
    return this.#slots.inFlight;
  }

  get state(): ConsumerState {
    if (this.#port.state !== "live") return this.#port.state;
    return this.#slots.count === 0 ? "paused" : "running";
  }

  /** Resolves once live. */
  start(): Promise<void> {
    return this.#port.start(this.#options.signal);
  }

  setConcurrency(concurrency: number): void {
    if (!isCount(concurrency, 0)) throw invalid(["concurrency must be a whole number ≥ 0"]);
    if (this.#port.isClosing || concurrency === this.#slots.concurrency) return;
    const before = this.state;
    this.#slots.concurrency = concurrency;
    if (this.state !== before) this.#observeState();
    this.#prefetch.request();
    this.#pump();
  }

  close(options: CloseOptions = {}): Promise<void> {
    return this.#port.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #running(): readonly ActiveDelivery[] {
    return this.#active.all().filter(({ isRunning }) => isRunning);
  }

  get #wantedPrefetch(): number {
    const slots = this.#slots.count;
    if (slots === 0) return 0;
    // What was asked for beyond the concurrency at first is asked for beyond each later one.
    return slots + Math.max(0, this.#options.prefetch - Math.max(1, this.#options.concurrency));
  }

  #create(
    connection: DriverConnection,
    onLost: (error: unknown) => void,
    lost: Ending<MessagingError>,
  ): Promise<DriverConsumer> {
    lost.onEnd(() => this.#onLost(lost));
    const { lane } = this.#options;
    const prefetch = this.#prefetch.first();
    return connection.consume(this.#spec, { prefetch, lane }, (wire) => this.#onDelivery(wire, lost), onLost);
  }

  #onDelivery(wire: WireDelivery, lost: Ending<MessagingError>): void {
    const delivery = new ActiveDelivery(wire, lost);
    this.#active.add(delivery);
    this.#holdWatch?.arrived(delivery);
    const { maxDeliveries } = this.#options;
    // Where the broker does not count, a redelivery is counted before it is handled: a crash cannot count itself.
    const isUncounted = wire.deliveries === undefined && wire.redelivered;
    const losses = delivery.losses + (isUncounted ? 1 : 0);
    // What still comes through a life that is over cannot be settled any more, only given back.
    if (this.#port.isClosing || lost.hasEnded) {
      this.#settler.settle(delivery, NOT_STARTED);
    } else if (losses >= maxDeliveries && this.#spec.deadLetterQueue !== undefined) {
      this.#settler.settle(delivery, { kind: "dead-letter", reason: "crash-loop", isHandled: false });
    } else if (isUncounted && maxDeliveries !== Number.POSITIVE_INFINITY) {
      this.#settler.countLoss(delivery, losses);
    } else {
      this.#waiting.push(delivery, losses);
      this.#pump();
    }
  }

  #pump(): void {
    while (!this.#slots.isFull && !this.#port.isClosing) {
      const delivery = this.#waiting.next(this.#active.size);
      if (delivery === undefined) return;
      this.#slots.begin(delivery);
      this.#runs.begin(delivery);
    }
  }

  #onHandled(delivery: ActiveDelivery, verdict: Verdict): void {
    if (this.#slots.end(delivery)) this.#onSlots();
    if (delivery.taken) {
      const { observe } = this.#context;
      const reason = "the handler ended after its delivery had been given back";
      observe({ type: "discarded", source: this.#spec.name, reason, messageId: delivery.messageId });
      this.#port.progress();
    } else {
      this.#settler.settle(delivery, verdict);
    }
    this.#pump();
  }

  #watchHolds(limitMs: number | undefined): HoldWatch | undefined {
    if (limitMs === undefined) return undefined;
    const { clock, observe } = this.#context;
    const queue = this.#spec.name;
    return new HoldWatch({
      clock,
      limitMs,
      deliveries: this.#active,
      giveBack: (delivery) => this.#giveBackOldest(delivery),
      onWarning: (delivery, ms) => {
        const { messageId } = delivery;
        if (delivery.isRunning) observe({ type: "delivery-held", queue, messageId, ms, limitMs });
      },
      onDeadline: (delivery, ms) => this.#endHold(delivery, ms),
    });
  }

  /** Before the broker takes it back, with everything else that this consumer holds. */
  #endHold(delivery: ActiveDelivery, heldMs: number): void {
    if (delivery.isRunning) this.#overtake(delivery, heldMs);
    else this.#settler.endHold(delivery);
  }

  /** Of those that wait it is the first in line, unless it was waiting elsewhere before. */
  #giveBackOldest(delivery: ActiveDelivery): boolean {
    if (!this.#waiting.remove(delivery)) return false;
    this.#settler.settle(delivery, NOT_STARTED);
    // Others may have waited for it.
    this.#pump();
    return true;
  }

  /** A failed attempt, whatever the handler still does. */
  #overtake(delivery: ActiveDelivery, heldMs: number): void {
    const { observe, random } = this.#context;
    const text = `the handler has not settled the message within ${Math.round(heldMs)} ms, and the broker would take it back`;
    const error = new MessagingError("TIMEOUT", text, { retryable: true });
    observe({ type: "handler-failed", source: this.#spec.name, messageId: delivery.messageId, error });
    this.#slots.overtake(delivery);
    delivery.abort(error);
    delivery.disown();
    this.#onSlots(error);
    this.#settler.settle(delivery, verdictOfError(error, delivery.failures, random.fraction()));
    this.#pump();
  }

  /** There are more or fewer: with none it pauses. */
  #onSlots(error?: Error): void {
    if (this.state !== this.#observed) this.#observeState(error);
    this.#prefetch.request();
  }

  #onSettled(delivery: ActiveDelivery): void {
    this.#active.remove(delivery);
    this.#port.progress();
    this.#waiting.settled(delivery);
  }

  #giveBackWaiting(): void {
    for (const delivery of this.#waiting.drain()) this.#settler.settle(delivery, NOT_STARTED);
  }

  /** What came through a lost life is no longer ours: the broker gives it out again. */
  #onLost(lost: Ending<MessagingError>): void {
    for (const delivery of this.#active.all()) if (delivery.lost === lost) delivery.abort(lost.reason);
    this.#settler.dropHolds(lost);
    this.#giveBackWaiting();
  }

  #onState(state: PortState, error: Error | undefined): void {
    this.#observeState(error);
    if (state === "closed") this.#holdWatch?.stop();
    if (state === "live") this.#prefetch.request();
  }

  #observeState(error?: Error): void {
    this.#observed = this.state;
    this.#context.observe({ type: "consumer", queue: this.#spec.name, state: this.#observed, error });
  }
}
