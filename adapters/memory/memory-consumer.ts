import type { DriverConsumer, WireDelivery, WireMessage, WireSettlement } from "../../src/driver/driver.js";
import type { Cancel } from "../../src/ports/clock.js";
import { heldTooLong } from "./errors.js";
import { Hop, type Pace } from "./hop.js";
import type { Competitor } from "./line.js";
import type { MemoryQueue, QueueFeatures } from "./memory-queue.js";
import type { StoredMessage } from "./stored-message.js";

const REACHED = Promise.resolve(true);
export const LOST = Promise.resolve(false);

/** What a consumer needs of the connection that it hangs on. */
export interface ConsumerLink {
  readonly pace: Pace;
  readonly features: QueueFeatures & { readonly countDeliveries: boolean };
  /** True when nothing is before a settlement on its way, so that it may go by hand. */
  readonly settlesAtOnce: boolean;
  /** Brings a settlement to the broker, behind those before it. */
  settle(delivery: MemoryDelivery, settlement: WireSettlement): Promise<boolean>;
  /** A round trip to the broker, where `run` is called. Rejects when the connection ends first. */
  ask<T>(run: () => T): Promise<T>;
  /** Tells the application something, when the news has travelled. */
  tell(news: () => void): void;
  forget(consumer: MemoryConsumer): void;
}

export interface ConsumerCallbacks {
  onDelivery(delivery: WireDelivery): void;
  onLost(error: unknown): void;
}

/** One delivery of one message. */
export class MemoryDelivery implements WireDelivery {
  readonly message: WireMessage;
  readonly deliveries: number | undefined;
  readonly redelivered: boolean;
  readonly stored: StoredMessage;
  readonly consumer: MemoryConsumer;
  /** A settlement is under way. */
  isSettling = false;
  /** Where there is a limit: when it was handed out. */
  heldSince = 0;
  /** Its place among the unsettled of its consumer; -1: settled or lost. */
  index: number;

  constructor(stored: StoredMessage, consumer: MemoryConsumer, index: number, countDeliveries: boolean) {
    this.message = stored.message;
    this.deliveries = countDeliveries ? stored.losses + 1 : undefined;
    this.redelivered = stored.losses > 0 || stored.released;
    this.stored = stored;
    this.index = index;
    this.consumer = consumer;
  }

  settle(settlement: WireSettlement): Promise<boolean> {
    return this.consumer.settle(this, settlement);
  }
}

/** A consumer as the broker sees it: what it may hold, and what it holds. */
export class MemoryConsumer implements Competitor, DriverConsumer {
  inLine = false;
  readonly #queue: MemoryQueue;
  readonly #link: ConsumerLink;
  readonly #callbacks: ConsumerCallbacks;
  /** On the way to the application; unused without latency. */
  readonly #incoming: Hop<MemoryDelivery>;
  /** In no order: the lanes know the order. */
  readonly #unsettled: MemoryDelivery[] = [];
  #prefetch: number;
  #isLive = true;
  #isStopped = false;
  #holdTimer: Cancel | undefined;

  constructor(queue: MemoryQueue, link: ConsumerLink, prefetch: number, callbacks: ConsumerCallbacks) {
    this.#queue = queue;
    this.#link = link;
    this.#prefetch = prefetch;
    this.#callbacks = callbacks;
    this.#incoming = new Hop(link.pace, (delivery) => callbacks.onDelivery(delivery));
    queue.join(this);
  }

  /** Nothing of it is out. */
  get isEmpty(): boolean {
    return this.#unsettled.length === 0;
  }

  get hasRoom(): boolean {
    return this.#isLive && this.#unsettled.length < this.#prefetch;
  }

  take(stored: StoredMessage): void {
    const delivery = this.hold(stored);
    if (this.#link.pace.latency === undefined) this.#callbacks.onDelivery(delivery);
    else this.#incoming.push(delivery);
  }

  /** Takes a message that nobody is called with. */
  hold(stored: StoredMessage): MemoryDelivery {
    const delivery = new MemoryDelivery(stored, this, this.#unsettled.length, this.#link.features.countDeliveries);
    this.#unsettled.push(delivery);
    if (this.#link.features.holdMs !== undefined) this.#limitHold(delivery, this.#link.features.holdMs);
    return delivery;
  }

  settle(delivery: MemoryDelivery, settlement: WireSettlement): Promise<boolean> {
    if (this.#link.settlesAtOnce) return this.apply(delivery, settlement) ? REACHED : LOST;
    if (delivery.isSettling || delivery.index < 0) return LOST;
    delivery.isSettling = true;
    return this.#link.settle(delivery, settlement);
  }

  /** A settlement has reached the broker. False: the delivery was lost or settled before. */
  apply(delivery: MemoryDelivery, settlement: WireSettlement): boolean {
    if (delivery.index < 0) return false;
    this.#takeOut(delivery);
    this.#queue.settle(delivery.stored, settlement, this.#link.features);
    if (this.#isLive) this.#queue.offer(this);
    else this.#leaveIfEmpty();
    return true;
  }

  async setPrefetch(prefetch: number): Promise<void> {
    await this.#askQuietly(() => {
      this.#prefetch = prefetch;
      // What has not been seen yet is not out: it can still stay within the bound.
      if (this.#unsettled.length > prefetch) this.#giveBackIncoming();
      this.#queue.offer(this);
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#isLive) {
      this.#isLive = false;
      this.#giveBackIncoming();
      this.#leaveIfEmpty();
    }
    await this.#askQuietly(() => {});
  }

  /** It is lost alone. */
  lose(error: unknown): void {
    this.end();
    if (this.#isStopped) return;
    this.#link.tell(() => {
      if (!this.#isStopped) this.#callbacks.onLost(error);
    });
  }

  /** Nothing comes through it any more, and what was unsettled goes back as lost. */
  end(): void {
    this.#isLive = false;
    this.#incoming.clear();
    this.#holdTimer?.();
    this.#holdTimer = undefined;
    for (const delivery of this.#unsettled.splice(0)) {
      delivery.index = -1;
      this.#queue.lose(delivery.stored);
    }
    this.#leaveIfEmpty();
  }

  #limitHold(delivery: MemoryDelivery, holdMs: number): void {
    delivery.heldSince = this.#link.pace.clock.now();
    this.#holdTimer ??= this.#link.pace.clock.setTimer(holdMs, () => this.#checkHolds(holdMs));
  }

  #checkHolds(holdMs: number): void {
    this.#holdTimer = undefined;
    if (this.#unsettled.length === 0) return;
    const since = this.#unsettled.reduce(
      (oldest, { heldSince }) => Math.min(oldest, heldSince),
      Number.POSITIVE_INFINITY,
    );
    const leftMs = since + holdMs - this.#link.pace.clock.now();
    if (leftMs > 0) this.#holdTimer = this.#link.pace.clock.setTimer(leftMs, () => this.#checkHolds(holdMs));
    else this.lose(heldTooLong(this.#queue.name, holdMs));
  }

  /** The last one takes its place. */
  #takeOut(delivery: MemoryDelivery): void {
    const last = this.#unsettled.pop();
    if (last !== undefined && last !== delivery) {
      this.#unsettled[delivery.index] = last;
      last.index = delivery.index;
    }
    delivery.index = -1;
  }

  #giveBackIncoming(): void {
    for (const delivery of this.#incoming.clear()) {
      this.#takeOut(delivery);
      this.#queue.giveBack(delivery.stored);
    }
  }

  #leaveIfEmpty(): void {
    if (this.#unsettled.length > 0) return;
    this.#queue.leave(this);
    this.#link.forget(this);
  }

  /** A connection that ends takes the consumer with it, so that there is nothing left to ask for. */
  async #askQuietly(run: () => void): Promise<void> {
    await this.#link.ask(run).catch(() => undefined);
  }
}
