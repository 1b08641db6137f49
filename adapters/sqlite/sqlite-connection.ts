import { consumeAllLanes } from "../../src/driver/consume-all-lanes.js";
import type {
  Address,
  ConnectOptions,
  DriverConnection,
  DriverConsumeOptions,
  DriverConsumer,
  DriverInbox,
  DriverResource,
  DriverStore,
  QueueSpec,
  WireDelivery,
  WireMessage,
  WireSettlement,
} from "../../src/driver/driver.js";
import type { NodeId } from "../../src/ports/broadcast.js";
import type { QueueCounts } from "../../src/ports/inspection.js";
import type { Broker, Client } from "./broker.js";
import { Lose } from "./changes.js";
import type { Receiver } from "./channels.js";
import { gone, headersTooLarge, noSuchQueue, notStorable, tooLarge } from "./errors.js";
import { FrameRoom } from "./frame-room.js";
import { faultOf, faultOfHeaders, sizeOfHeaders } from "./mapping.js";
import { Store } from "./store.js";
import { type ConsumerLink, StoredConsumer, type StoredDelivery } from "./stored-consumer.js";
import type { StoredQueue } from "./stored-queue.js";
import { TransientConsumer } from "./transient-lane.js";
import { Writes } from "./writes.js";

const LOST = Promise.resolve(false);
/** Headers may take as much as a body, and this much in any case. */
const HEADER_BYTES = 1024 * 1024;

/** One node's connection. */
export class SqliteConnection implements DriverConnection, Client, ConsumerLink {
  readonly store: DriverStore;
  readonly #broker: Broker;
  readonly #maxMessageBytes: number;
  readonly #callbacks: ConnectOptions;
  readonly #consumers = new Set<StoredConsumer>();
  readonly #transientConsumers = new Set<TransientConsumer>();
  readonly #receivers = new Set<Receiver>();
  readonly #writes: Writes;
  readonly #room: FrameRoom;
  #state: "open" | "closing" | "closed" = "open";
  #cause: unknown;
  #closed: Promise<void> | undefined;

  constructor(broker: Broker, maxMessageBytes: number, callbacks: ConnectOptions) {
    this.#broker = broker;
    this.#maxMessageBytes = maxMessageBytes;
    this.#callbacks = callbacks;
    this.#writes = new Writes(broker, this);
    this.#room = new FrameRoom(broker.turns);
    this.store = new Store(broker, (run) => this.#inGroup(run));
    broker.enter(this);
  }

  /** Whether what was asked for through it is still to happen. */
  get isLive(): boolean {
    return this.#state !== "closed";
  }

  publish(to: Address, message: WireMessage): Promise<void> {
    if (this.#state !== "open") return this.#refused();
    const bytes = message.body.byteLength;
    if (bytes > this.#maxMessageBytes) return Promise.reject(tooLarge(bytes, this.#maxMessageBytes));
    if (to.kind === "inbox") {
      if (!this.#broker.channels.send(to.address, message)) this.#tell(() => this.#callbacks.onReturned(message));
      return this.#room.next();
    }
    if (to.kind === "broadcast") {
      this.#broker.channels.broadcast(to.name, message, to.node);
      return this.#room.next();
    }
    try {
      if (!to.queue.lanes) return this.#store(to.queue, message, bytes);
      this.#broker.lanes.lane(to.queue.name, to.lane ?? "standard").publish(message);
      return this.#room.nextTurn();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async consume(
    spec: QueueSpec,
    { prefetch, lane }: DriverConsumeOptions,
    onDelivery: (delivery: WireDelivery) => void,
    onLost: (error: unknown) => void,
  ): Promise<DriverConsumer> {
    if (!spec.lanes) {
      const queue = await this.#declared(spec);
      const consumer = new StoredConsumer(queue, this, prefetch, onDelivery);
      this.#consumers.add(consumer);
      return consumer;
    }
    if (lane === undefined) {
      return consumeAllLanes((one, onLoss) => this.consume(spec, { prefetch, lane: one }, onDelivery, onLoss), onLost);
    }
    await this.#ask();
    const consumer = new TransientConsumer(this.#broker.lanes.lane(spec.name, lane), prefetch, onDelivery, (one) =>
      this.#transientConsumers.delete(one),
    );
    this.#transientConsumers.add(consumer);
    return consumer;
  }

  async subscribe(broadcast: string, node: NodeId, onMessage: (message: WireMessage) => void): Promise<DriverResource> {
    await this.#ask();
    return this.#resource(this.#broker.channels.subscribe(broadcast, node, onMessage));
  }

  async openInbox(onMessage: (message: WireMessage) => void): Promise<DriverInbox> {
    await this.#ask();
    const { address, receiver } = this.#broker.channels.openInbox(onMessage);
    return { address, ...this.#resource(receiver) };
  }

  async take(spec: QueueSpec): Promise<WireDelivery | undefined> {
    if (this.#state !== "open") return this.#refused();
    const queue = this.#existing(spec);
    let taken: WireDelivery | undefined;
    const taker = new StoredConsumer(queue, this, 1, (delivery) => {
      taken = delivery;
    });
    this.#consumers.add(taker);
    try {
      await this.#inGroup(() => {});
    } finally {
      await taker.stop();
    }
    return taken;
  }

  async counts(spec: QueueSpec): Promise<QueueCounts> {
    if (this.#state !== "open") return this.#refused();
    const queue = this.#existing(spec);
    return this.#inGroup(() => this.#broker.stored.counts(queue));
  }

  settle(delivery: StoredDelivery, settlement: WireSettlement): Promise<boolean> {
    if (!this.isLive) return LOST;
    let bytes = 0;
    if (typeof settlement === "object") {
      const headers = "deadLetter" in settlement ? settlement.deadLetter : settlement.headers;
      const fault = faultOfHeaders(headers) ?? faultOfDelay(settlement);
      if (fault !== undefined) {
        delivery.isSettling = false;
        return Promise.reject(notStorable(fault));
      }
      // What goes on is written anew with its body.
      bytes = delivery.entry.bytes;
    }
    return this.#writes.settle(delivery.entry, settlement, bytes);
  }

  hand(delivery: StoredDelivery): void {
    this.#broker.hand(delivery);
  }

  wake(queue: StoredQueue): void {
    this.#broker.wake(queue);
  }

  forget(consumer: StoredConsumer): void {
    this.#consumers.delete(consumer);
  }

  remember(consumer: StoredConsumer): void {
    this.#consumers.add(consumer);
  }

  lose(error: unknown): void {
    if (this.#state === "closed") return;
    const isAsked = this.#state === "closing";
    this.#end(error);
    void this.#broker.leave(this);
    setImmediate(() => {
      if (!isAsked && this.#closed === undefined) this.#callbacks.onLost(error);
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    if (this.#state === "open") {
      this.#state = "closing";
      for (const consumer of [...this.#consumers]) await consumer.stop();
      await this.#broker.commit.flushed();
      this.#end(undefined);
    }
    await this.#broker.leave(this);
  }

  #store(spec: QueueSpec, message: WireMessage, bytes: number): Promise<void> {
    const fault = faultOf(message);
    if (fault !== undefined) throw notStorable(fault);
    const headerBytes = sizeOfHeaders(message.headers);
    const most = Math.max(this.#maxMessageBytes, HEADER_BYTES);
    if (headerBytes > most) throw headersTooLarge(headerBytes, most);
    const queue = this.#broker.stored.queues.declare(spec.name, spec.deadLetterQueue);
    return this.#writes.publish(queue, message, bytes + headerBytes);
  }

  async #declared({ name, deadLetterQueue }: QueueSpec): Promise<StoredQueue> {
    if (this.#state !== "open") return this.#refused();
    const { queues } = this.#broker.stored;
    const queue = queues.declare(name, deadLetterQueue);
    await this.#inGroup(() => queues.store(queue));
    return queue;
  }

  #existing({ name }: QueueSpec): StoredQueue {
    const queue = this.#broker.stored.queues.find(name);
    if (queue === undefined) throw noSuchQueue(name);
    return queue;
  }

  /** Runs in the next group's transaction. Rejects when that is not committed, or the connection ends before. */
  #inGroup<T>(run: () => T): Promise<T> {
    return this.#state === "open" ? this.#writes.run(run) : this.#refused();
  }

  /** The next turn of the event loop. Rejects when the connection has ended before. */
  async #ask(): Promise<void> {
    if (this.#state !== "open") return this.#refused();
    await this.#room.nextTurn();
    if (this.#state !== "open") throw gone(this.#cause);
  }

  /** In a later turn: one who asks again and again, each time at once, must not keep its owner from being told of the loss. */
  #refused(): Promise<never> {
    return new Promise((_, reject) => {
      this.#broker.turns.next(() => reject(gone(this.#cause)));
    });
  }

  #tell(news: () => void): void {
    this.#broker.turns.next(() => {
      if (this.#state === "open") news();
    });
  }

  #resource(receiver: Receiver): DriverResource {
    this.#receivers.add(receiver);
    return {
      stop: () => {
        this.#receivers.delete(receiver);
        receiver.close();
        return Promise.resolve();
      },
    };
  }

  /** Everything that hung on it is gone, and everything that waited is answered. */
  #end(cause: unknown): void {
    this.#state = "closed";
    this.#cause = cause;
    const error = gone(cause);
    this.#writes.fail(error);
    for (const receiver of this.#receivers) receiver.close();
    for (const consumer of [...this.#transientConsumers]) consumer.end();
    this.#transientConsumers.clear();
    const { stored } = this.#broker;
    for (const consumer of [...this.#consumers]) {
      for (const entry of consumer.end()) {
        if (this.#broker.isOpen) this.#writes.lose(new Lose(stored, entry));
      }
    }
    this.#consumers.clear();
  }
}

function faultOfDelay(settlement: WireSettlement): string | undefined {
  if (typeof settlement === "string" || !("retryInMs" in settlement)) return undefined;
  return Number.isFinite(settlement.retryInMs) ? undefined : "retryInMs must be a number";
}
