import type { DriverConsumer, WireDelivery, WireMessage, WireSettlement } from "../../src/driver/driver.js";
import type { Entry, Holder } from "./entry.js";
import type { StoredQueue, Taker } from "./stored-queue.js";

const LOST = Promise.resolve(false);

/** What a consumer needs of the connection that it hangs on. */
export interface ConsumerLink {
  /** The entry is handed out with the transaction that is under way. */
  hand(delivery: StoredDelivery): void;
  settle(delivery: StoredDelivery, settlement: WireSettlement): Promise<boolean>;
  /** The queue is to be looked at. */
  wake(queue: StoredQueue): void;
  forget(consumer: StoredConsumer): void;
  /** It has something again. */
  remember(consumer: StoredConsumer): void;
}

export class StoredDelivery implements WireDelivery {
  readonly deliveries: number;
  readonly redelivered: boolean;
  readonly entry: Entry;
  readonly consumer: StoredConsumer;
  isSettling = false;

  constructor(entry: Entry, consumer: StoredConsumer) {
    this.entry = entry;
    this.consumer = consumer;
    this.deliveries = entry.losses + 1;
    this.redelivered = entry.losses > 0 || entry.isReleased;
  }

  get message(): WireMessage {
    return this.entry.message;
  }

  settle(settlement: WireSettlement): Promise<boolean> {
    return this.consumer.settle(this, settlement);
  }
}

/** A consumer, and what it has unsettled. */
export class StoredConsumer implements DriverConsumer, Holder, Taker {
  readonly #queue: StoredQueue;
  readonly #link: ConsumerLink;
  readonly #onDelivery: (delivery: WireDelivery) => void;
  readonly #unsettled: Entry[] = [];
  #prefetch: number;
  #isLive = true;

  constructor(queue: StoredQueue, link: ConsumerLink, prefetch: number, onDelivery: (delivery: WireDelivery) => void) {
    this.#queue = queue;
    this.#link = link;
    this.#prefetch = prefetch;
    this.#onDelivery = onDelivery;
    queue.join(this);
    link.wake(queue);
  }

  get room(): number {
    return this.#isLive ? this.#prefetch - this.#unsettled.length : 0;
  }

  /** It has the entry. */
  keep(entry: Entry): void {
    entry.holder = this;
    entry.index = this.#unsettled.length;
    this.#unsettled.push(entry);
    if (!this.#isLive) this.#link.remember(this);
  }

  take(entry: Entry): void {
    this.keep(entry);
    this.#link.hand(new StoredDelivery(entry, this));
  }

  /** The transaction with which it was handed out is committed. */
  deliver(delivery: StoredDelivery): void {
    this.#onDelivery(delivery);
  }

  settle(delivery: StoredDelivery, settlement: WireSettlement): Promise<boolean> {
    if (delivery.isSettling || delivery.entry.holder !== this) return LOST;
    delivery.isSettling = true;
    return this.#link.settle(delivery, settlement);
  }

  /** The entry is not in its hands any more. */
  takeOut(entry: Entry): void {
    const last = this.#unsettled.pop();
    if (last !== undefined && last !== entry) {
      this.#unsettled[entry.index] = last;
      last.index = entry.index;
    }
    entry.index = -1;
    entry.holder = undefined;
    if (this.#isLive) this.#link.wake(this.#queue);
    else if (this.#unsettled.length === 0) this.#link.forget(this);
  }

  setPrefetch(prefetch: number): Promise<void> {
    this.#prefetch = prefetch;
    this.#link.wake(this.#queue);
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#end();
    if (this.#unsettled.length === 0) this.#link.forget(this);
    return Promise.resolve();
  }

  /** Nothing comes to it any more. Returns what it had. */
  end(): readonly Entry[] {
    this.#end();
    return [...this.#unsettled];
  }

  #end(): void {
    if (!this.#isLive) return;
    this.#isLive = false;
    this.#queue.leave(this);
  }
}
