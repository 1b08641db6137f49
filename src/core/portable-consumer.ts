import type { DriverConnection, DriverConsumer, QueueSpec, WireDelivery } from "../driver/driver.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Codec } from "../ports/codec.js";
import type { CloseOptions } from "../ports/lifecycle.js";
import type { Consumer, ConsumerState, DeliveryHandler } from "../ports/queue.js";
import type { Ending } from "../util/ending.js";
import { toError } from "../util/error-text.js";
import { Ring } from "../util/ring.js";
import { ActiveDelivery } from "./active-delivery.js";
import type { CoreContext } from "./core-context.js";
import { Limit } from "./limit.js";
import { invalid, isCount, type ResolvedConsumeOptions } from "./options.js";
import { Settler } from "./settler.js";
import { type PortState, SupervisedPort } from "./supervised-port.js";
import { type Verdict, verdictOf, verdictOfError } from "./verdict.js";
import { toIncomingMessage } from "./wire-message.js";

/** A broker that does not answer must not block the next change: the consumer is made anew. */
const SET_PREFETCH_TIMEOUT_MS = 10_000;

const NOT_STARTED: Verdict = { kind: "release", why: "not-started" };
const INTERRUPTED: Verdict = { kind: "release", why: "interrupted" };

/** A consumer that outlives channels, connections and brokers. */
export class PortableConsumer<T> implements Consumer {
  readonly closed: Promise<Error | undefined>;
  readonly #context: CoreContext;
  readonly #spec: QueueSpec;
  readonly #codec: Codec<T>;
  readonly #handler: DeliveryHandler<T>;
  readonly #options: ResolvedConsumeOptions;
  readonly #port: SupervisedPort<DriverConsumer>;
  readonly #settler: Settler;
  readonly #waiting = new Ring<ActiveDelivery>();
  readonly #running = new Set<ActiveDelivery>();
  /** Whatever arrived and is not settled: waiting, running, held for a retry, or being settled. */
  readonly #active = new Set<ActiveDelivery>();
  /** The prefetch that the driver was last told. */
  #applied = 0;
  #concurrency: number;
  #adjusting: Promise<void> = Promise.resolve();

  constructor(
    context: CoreContext,
    spec: QueueSpec,
    codec: Codec<T>,
    handler: DeliveryHandler<T>,
    options: ResolvedConsumeOptions,
  ) {
    this.#context = context;
    this.#spec = spec;
    this.#codec = codec;
    this.#handler = handler;
    this.#options = options;
    this.#concurrency = options.concurrency;
    this.#settler = new Settler(context, spec, options);
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
          this.#settle(delivery, INTERRUPTED);
        }
      },
    });
    this.closed = this.#port.closed;
  }

  get inFlight(): number {
    return this.#running.size;
  }

  get state(): ConsumerState {
    if (this.#port.state !== "live") return this.#port.state;
    return this.#concurrency === 0 ? "paused" : "running";
  }

  /** Resolves once live. */
  start(): Promise<void> {
    return this.#port.start(this.#options.signal);
  }

  setConcurrency(concurrency: number): void {
    if (!isCount(concurrency, 0)) throw invalid(["concurrency must be a whole number ≥ 0"]);
    if (this.#port.isClosing || concurrency === this.#concurrency) return;
    const before = this.state;
    this.#concurrency = concurrency;
    if (this.state !== before) this.#observeState();
    this.#requestAdjust();
    this.#pump();
  }

  close(options: CloseOptions = {}): Promise<void> {
    return this.#port.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #prefetch(): number {
    if (this.#concurrency === 0) return 0;
    // What was asked for beyond the concurrency at first is asked for beyond each later one.
    return this.#concurrency + Math.max(0, this.#options.prefetch - Math.max(1, this.#options.concurrency));
  }

  #create(
    connection: DriverConnection,
    onLost: (error: unknown) => void,
    lost: Ending<MessagingError>,
  ): Promise<DriverConsumer> {
    const prefetch = this.#prefetch;
    this.#applied = prefetch;
    lost.onEnd(() => this.#onLost(lost));
    const { lane } = this.#options;
    return connection.consume(this.#spec, { prefetch, lane }, (wire) => this.#onDelivery(wire, lost), onLost);
  }

  #requestAdjust(): void {
    this.#adjusting = this.#adjusting.then(() => this.#adjust());
  }

  async #adjust(): Promise<void> {
    const life = this.#port.life;
    if (life === undefined || this.#port.isClosing) return;
    const prefetch = this.#prefetch;
    if (prefetch !== this.#applied) {
      this.#applied = prefetch;
      const { clock } = this.#context;
      const what = `set the prefetch of ${this.#spec.name}`;
      const limit = new Limit({ clock, what, timeoutMs: SET_PREFETCH_TIMEOUT_MS, ended: [life.lost] });
      await limit.race(life.resource.setPrefetch(prefetch)).catch((error: unknown) => life.end(error));
      limit.dispose();
    }
    // Only now: given back any sooner, the broker would hand it straight to us again.
    if (this.#concurrency === 0) this.#giveBackWaiting();
  }

  #onDelivery(wire: WireDelivery, lost: Ending<MessagingError>): void {
    const delivery = new ActiveDelivery(wire, lost);
    this.#active.add(delivery);
    const { maxDeliveries } = this.#options;
    // Where the broker does not count, a redelivery is counted before it is handled: a crash cannot count itself.
    const isUncounted = wire.deliveries === undefined && wire.redelivered;
    const losses = delivery.losses + (isUncounted ? 1 : 0);
    // What still comes through a life that is over cannot be settled any more, only given back.
    if (this.#port.isClosing || lost.hasEnded) {
      this.#settle(delivery, NOT_STARTED);
    } else if (losses >= maxDeliveries && this.#spec.deadLetterQueue !== undefined) {
      this.#settle(delivery, { kind: "dead-letter", reason: "crash-loop", isHandled: false });
    } else if (isUncounted && maxDeliveries !== Number.POSITIVE_INFINITY) {
      this.#countLoss(delivery, losses);
    } else {
      this.#waiting.push(delivery);
      this.#pump();
    }
  }

  #countLoss(delivery: ActiveDelivery, losses: number): void {
    const headers = delivery.headersWith({ failures: delivery.failures, losses });
    void delivery.settle({ retryInMs: 0, headers }).then(() => this.#onSettled(delivery));
  }

  #pump(): void {
    while (this.#running.size < this.#concurrency && !this.#port.isClosing) {
      const delivery = this.#waiting.shift();
      if (delivery === undefined) return;
      void this.#handle(delivery);
    }
  }

  async #handle(delivery: ActiveDelivery): Promise<void> {
    this.#running.add(delivery);
    const verdict = await this.#judge(delivery);
    this.#running.delete(delivery);
    if (delivery.taken) {
      const { observe } = this.#context;
      const reason = "the handler ended after its delivery had been given back";
      observe({ type: "discarded", source: this.#spec.name, reason, messageId: delivery.messageId });
      this.#port.progress();
    } else {
      this.#settle(delivery, verdict);
    }
    this.#pump();
  }

  async #judge(delivery: ActiveDelivery): Promise<Verdict> {
    try {
      const message = toIncomingMessage(this.#codec, delivery.wire.message);
      return verdictOf(await this.#handler(delivery.forHandler(message)));
    } catch (thrown) {
      const { observe, random } = this.#context;
      const error = toError(thrown);
      observe({ type: "handler-failed", source: this.#spec.name, messageId: delivery.messageId, error });
      // Interrupted by us, so no fault of the message or the handler.
      if (delivery.aborted) return INTERRUPTED;
      return verdictOfError(thrown, delivery.failures, random.fraction());
    }
  }

  #settle(delivery: ActiveDelivery, verdict: Verdict): void {
    this.#settler.settle(delivery, verdict, () => this.#onSettled(delivery));
  }

  #onSettled(delivery: ActiveDelivery): void {
    this.#active.delete(delivery);
    this.#port.progress();
  }

  #giveBackWaiting(): void {
    for (let delivery = this.#waiting.shift(); delivery !== undefined; delivery = this.#waiting.shift()) {
      this.#settle(delivery, NOT_STARTED);
    }
  }

  /** What came through a lost life is no longer ours: the broker gives it out again. */
  #onLost(lost: Ending<MessagingError>): void {
    for (const delivery of this.#active) if (delivery.lost === lost) delivery.abort(lost.reason);
    this.#settler.dropHolds(lost);
    this.#giveBackWaiting();
  }

  #onState(state: PortState, error: Error | undefined): void {
    this.#observeState(error);
    if (state === "live") this.#requestAdjust();
  }

  #observeState(error?: Error): void {
    this.#context.observe({ type: "consumer", queue: this.#spec.name, state: this.state, error });
  }
}
