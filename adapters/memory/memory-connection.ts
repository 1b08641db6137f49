import { consumeAllLanes } from "../../src/driver/consume-all-lanes.js";
import type {
  Address,
  ConnectOptions,
  DriverConnection,
  DriverConsumeOptions,
  DriverConsumer,
  DriverInbox,
  DriverResource,
  QueueSpec,
  WireDelivery,
  WireMessage,
  WireSettlement,
} from "../../src/driver/driver.js";
import type { NodeId } from "../../src/ports/broadcast.js";
import type { QueueCounts } from "../../src/ports/inspection.js";
import { type Deferred, deferred } from "../../src/util/deferred.js";
import type { Broker, Client } from "./broker.js";
import { Confirms } from "./confirms.js";
import { gone, noQueue, tooLarge } from "./errors.js";
import { Hop, type Pace } from "./hop.js";
import { type ConsumerLink, LOST, MemoryConsumer, type MemoryDelivery } from "./memory-consumer.js";
import type { MemoryQueue, QueueFeatures } from "./memory-queue.js";
import { Receiver } from "./receiver.js";

/** What the broker does for one node: a mask over its abilities. */
export interface NodeFeatures extends QueueFeatures {
  readonly deadLetter: boolean;
  readonly loopback: boolean;
  readonly countDeliveries: boolean;
  readonly maxMessageBytes: number;
}

interface Outgoing {
  readonly to: Address;
  readonly message: WireMessage;
  readonly done: Deferred<void>;
}

interface Settling {
  readonly delivery: MemoryDelivery;
  readonly settlement: WireSettlement;
  readonly done: Deferred<boolean>;
}

interface Question {
  ask(): void;
  fail(): void;
}

/** One node's connection. What it hands over goes straight to the broker where nothing is in its way. */
export class MemoryConnection implements DriverConnection, Client, ConsumerLink {
  readonly pace: Pace;
  readonly features: NodeFeatures;
  readonly #broker: Broker;
  readonly #callbacks: ConnectOptions;
  readonly #outgoing: Hop<Outgoing>;
  readonly #confirms: Confirms;
  readonly #settling: Hop<Settling>;
  readonly #questions: Hop<Question>;
  readonly #news: Hop<() => void>;
  readonly #consumers = new Set<MemoryConsumer>();
  readonly #takers = new Map<MemoryQueue, MemoryConsumer>();
  readonly #receivers = new Set<Receiver>();
  #isOpen = true;
  #cause: unknown;
  #isClosedByUs = false;

  constructor(broker: Broker, pace: Pace, features: NodeFeatures, callbacks: ConnectOptions) {
    this.pace = pace;
    this.features = features;
    this.#broker = broker;
    this.#callbacks = callbacks;
    this.#confirms = new Confirms(pace);
    this.#outgoing = new Hop(pace, (outgoing) => this.#arrive(outgoing));
    this.#settling = new Hop(pace, ({ delivery, settlement, done }) =>
      done.resolve(delivery.consumer.apply(delivery, settlement)),
    );
    this.#questions = new Hop(pace, (question) => question.ask());
    this.#news = new Hop(pace, (news) => news());
    broker.enter(this);
    if (broker.blocked) this.block(true);
  }

  get settlesAtOnce(): boolean {
    return this.pace.latency === undefined && this.#settling.size === 0 && !this.pace.turns.paused;
  }

  publish(to: Address, message: WireMessage): Promise<void> {
    const { maxMessageBytes } = this.features;
    if (!this.#isOpen) return this.#refused();
    if (message.body.byteLength > maxMessageBytes) {
      return Promise.reject(tooLarge(message.body.byteLength, maxMessageBytes));
    }
    const { latency, turns } = this.pace;
    const isFree = latency === undefined && this.#outgoing.size === 0 && !turns.paused && !this.#broker.blocked;
    if (isFree) {
      try {
        this.#route(to, message);
      } catch (error) {
        return Promise.reject(error);
      }
      return to.kind === "queue" ? this.#confirms.next() : this.#confirms.room();
    }
    const done = deferred<void>();
    this.#outgoing.push({ to, message, done });
    return done.promise;
  }

  consume(
    spec: QueueSpec,
    { prefetch, lane }: DriverConsumeOptions,
    onDelivery: (delivery: WireDelivery) => void,
    onLost: (error: unknown) => void,
  ): Promise<DriverConsumer> {
    if (spec.lanes && lane === undefined) {
      return consumeAllLanes((one, onLoss) => this.consume(spec, { prefetch, lane: one }, onDelivery, onLoss), onLost);
    }
    return this.ask(() => {
      const queue = this.#broker.declare(spec, this.features.deadLetter, lane);
      const consumer = new MemoryConsumer(queue, this, prefetch, { onDelivery, onLost });
      this.#consumers.add(consumer);
      return consumer;
    });
  }

  subscribe(name: string, node: NodeId, onMessage: (message: WireMessage) => void): Promise<DriverResource> {
    return this.ask(() => {
      const { broadcasts } = this.#broker;
      const receiver = this.#receiver(onMessage, () => broadcasts.remove(name, listener));
      const listener = { node, owner: this, receive: (message: WireMessage) => receiver.receive(message) };
      broadcasts.add(name, listener);
      return { stop: () => this.#stop(receiver) };
    });
  }

  openInbox(onMessage: (message: WireMessage) => void): Promise<DriverInbox> {
    return this.ask(() => {
      const { inboxes } = this.#broker;
      const address = `inbox-${this.pace.random.uuid()}`;
      const receiver = this.#receiver(onMessage, () => inboxes.delete(address));
      inboxes.set(address, receiver);
      return { address, stop: () => this.#stop(receiver) };
    });
  }

  take(spec: QueueSpec): Promise<WireDelivery | undefined> {
    return this.ask(() => {
      const queue = this.#find(spec);
      const stored = queue.take();
      return stored === undefined ? undefined : this.#taker(queue, (taker) => taker.hold(stored));
    });
  }

  counts(spec: QueueSpec): Promise<QueueCounts> {
    return this.ask(() => {
      const { count, oldestReadyAt } = this.#find(spec);
      const { ready, delayed, unsettled } = count;
      const oldestReadyMs = oldestReadyAt === undefined ? undefined : this.pace.clock.now() - oldestReadyAt;
      return { ready, delayed, inProcessing: unsettled, oldestReadyMs };
    });
  }

  close(): Promise<void> {
    this.#isClosedByUs = true;
    if (this.#isOpen && !this.pace.turns.paused) {
      if (!this.#broker.blocked) this.#outgoing.flush();
      this.#settling.flush();
      this.#confirms.flush();
    }
    this.#end(undefined);
    return Promise.resolve();
  }

  lose(error: unknown): void {
    if (!this.#isOpen) return;
    this.#end(error);
    // Not by the news, which stand still with the broker: a lost link is noticed by the one who lost it.
    this.pace.turns.next(() => {
      if (!this.#isClosedByUs) this.#callbacks.onLost(error);
    });
  }

  block(isBlocked: boolean): void {
    this.#outgoing.hold(isBlocked);
    this.tell(() => this.#callbacks.onBlocked(isBlocked));
  }

  settle(delivery: MemoryDelivery, settlement: WireSettlement): Promise<boolean> {
    if (!this.#isOpen) return LOST;
    const done = deferred<boolean>();
    this.#settling.push({ delivery, settlement, done });
    return done.promise;
  }

  ask<T>(run: () => T): Promise<T> {
    if (!this.#isOpen) return this.#refused();
    const answer = deferred<T>();
    this.#questions.push({
      ask() {
        try {
          answer.resolve(run());
        } catch (error) {
          answer.reject(error);
        }
      },
      fail: () => answer.reject(gone(this.#cause)),
    });
    return answer.promise;
  }

  tell(news: () => void): void {
    if (this.#isOpen) this.#news.push(news);
  }

  forget(consumer: MemoryConsumer): void {
    this.#consumers.delete(consumer);
    for (const [queue, taker] of this.#takers) if (taker === consumer) this.#takers.delete(queue);
  }

  /** In a later turn: one who asks again and again, each time at once, must not keep its owner from being told of the loss. */
  #refused(): Promise<never> {
    const refusal = deferred<never>();
    this.pace.turns.next(() => refusal.reject(gone(this.#cause)));
    return refusal.promise;
  }

  #arrive({ to, message, done }: Outgoing): void {
    try {
      this.#route(to, message);
      this.#confirms.send(done);
    } catch (error) {
      done.reject(error);
    }
  }

  /** The message is at the broker. Throws when that does not take it. */
  #route(to: Address, message: WireMessage): void {
    switch (to.kind) {
      case "queue":
        this.#broker.declare(to.queue, this.features.deadLetter, to.lane).publish(message, this.features);
        return;
      case "broadcast":
        this.#broker.broadcasts.publish(to.name, message, to.node, this.features.loopback ? undefined : this);
        return;
      case "inbox": {
        const inbox = this.#broker.inboxes.get(to.address);
        if (inbox === undefined) this.tell(() => this.#callbacks.onReturned(message));
        else inbox.receive(message);
      }
    }
  }

  #find({ name, lanes }: QueueSpec): MemoryQueue {
    const found = this.#broker.find(lanes ? `${name}.standard` : name);
    if (found === undefined) throw noQueue(name);
    return found;
  }

  /** What holds the messages of a queue that were taken; it leaves the queue with the last of them. */
  #taker<T>(queue: MemoryQueue, use: (taker: MemoryConsumer) => T): T {
    const present = this.#takers.get(queue);
    if (present?.isEmpty === false) return use(present);
    const taker = new MemoryConsumer(queue, this, 0, { onDelivery: () => {}, onLost: () => {} });
    this.#consumers.add(taker);
    this.#takers.set(queue, taker);
    const result = use(taker);
    void taker.stop();
    return result;
  }

  #receiver(onMessage: (message: WireMessage) => void, onClose: () => void): Receiver {
    const receiver = new Receiver(this.pace, onMessage, () => {
      onClose();
      this.#receivers.delete(receiver);
    });
    this.#receivers.add(receiver);
    return receiver;
  }

  async #stop(receiver: Receiver): Promise<void> {
    receiver.close();
    await this.ask(() => {}).catch(() => undefined);
  }

  /** Everything that hung on it is gone, and everything that waited is answered. */
  #end(cause: unknown): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#cause = cause;
    const error = gone(cause);
    for (const { done } of this.#outgoing.clear()) done.reject(error);
    this.#confirms.fail(error);
    for (const { done } of this.#settling.clear()) done.resolve(false);
    for (const question of this.#questions.clear()) question.fail();
    this.#news.clear();
    for (const receiver of this.#receivers) receiver.close();
    for (const consumer of this.#consumers) consumer.end();
    this.#broker.leave(this);
  }
}
