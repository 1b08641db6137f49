import type { QueueSpec, WireMessage } from "../../src/driver/driver.js";
import type { Clock, Random } from "../../src/ports/clock.js";
import type { Priority } from "../../src/ports/message.js";
import { Broadcasts } from "./broadcasts.js";
import type { ResolvedMemoryBrokerOptions } from "./broker-options.js";
import { deletedQueue, lostConnection, lostConsumer, otherDeadLetterQueue, otherKind, restarted } from "./errors.js";
import { MemoryQueue, type QueueCount, type QueueSurroundings } from "./memory-queue.js";
import type { Receiver } from "./receiver.js";
import { Turns } from "./turns.js";

/**
 * One broker in this process, which any number of drivers may share, as nodes; and what can be made to go wrong with it.
 * A lane is a queue by itself here: `orders.expedite`, `orders.standard`, `orders.bulk`.
 */
export interface MemoryBroker {
  /** How many messages a queue holds; undefined when there is no such queue. */
  count(queue: string): QueueCount | undefined;
  /** Cuts every connection. Unsettled deliveries go back as lost, inboxes are gone; new connections are welcome. */
  dropConnections(error?: unknown): void;
  /** Ends the consumers of one queue. Connections and messages stay. */
  dropConsumers(queue: string, error?: unknown): void;
  /** Deletes one queue with its messages, and ends its consumers. Its dead letters stay. */
  deleteQueue(queue: string): void;
  /** Takes no publishes, or takes them again: they wait meanwhile. */
  setBlocked(isBlocked: boolean): void;
  /** From now on nothing moves and nothing is answered, connects included, until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Turns new connections away, or takes them again. */
  refuseConnections(isRefusing: boolean): void;
  /**
   * Stops at once, as if killed, and starts anew: every connection is cut, every queue is gone with its messages, and it
   * is neither blocked nor frozen any more. New connections are welcome, unless they are refused.
   */
  restart(error?: unknown): void;
}

/** A connection, as the broker sees it. */
export interface Client {
  lose(error: unknown): void;
  block(isBlocked: boolean): void;
}

export class Broker implements MemoryBroker {
  readonly clock: Clock;
  readonly random: Random;
  readonly maxQueueBytes: number;
  readonly turns: Turns;
  readonly broadcasts = new Broadcasts();
  readonly inboxes = new Map<string, Receiver>();
  readonly #queues = new Map<string, MemoryQueue>();
  readonly #clients = new Set<Client>();
  readonly #surroundings: QueueSurroundings;
  #isBlocked = false;
  #isRefusing = false;

  constructor(options: ResolvedMemoryBrokerOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.maxQueueBytes = options.maxQueueBytes;
    this.turns = new Turns(options.times, options.clock);
    this.#surroundings = {
      ...options,
      turns: this.turns,
      deadLetter: (queue: string, message: WireMessage) => this.#queue(queue).accept(message),
    };
  }

  get blocked(): boolean {
    return this.#isBlocked;
  }

  get refusing(): boolean {
    return this.#isRefusing;
  }

  count(queue: string): QueueCount | undefined {
    return this.#queues.get(queue)?.count;
  }

  dropConnections(error: unknown = lostConnection()): void {
    for (const client of [...this.#clients]) client.lose(error);
  }

  dropConsumers(queue: string, error: unknown = lostConsumer(queue)): void {
    for (const competitor of [...(this.#queues.get(queue)?.competitors ?? [])]) competitor.lose(error);
  }

  deleteQueue(queue: string): void {
    this.dropConsumers(queue, deletedQueue(queue));
    this.#queues.get(queue)?.clear();
    this.#queues.delete(queue);
  }

  setBlocked(isBlocked: boolean): void {
    if (this.#isBlocked === isBlocked) return;
    this.#isBlocked = isBlocked;
    for (const client of this.#clients) client.block(isBlocked);
  }

  freeze(): void {
    this.turns.pause();
  }

  thaw(): void {
    this.turns.resume();
  }

  refuseConnections(isRefusing: boolean): void {
    this.#isRefusing = isRefusing;
  }

  restart(error: unknown = restarted()): void {
    this.dropConnections(error);
    for (const queue of this.#queues.values()) queue.clear();
    this.#queues.clear();
    this.#isBlocked = false;
    this.thaw();
  }

  /**
   * The queue, or its lane, made if need be, with its dead letters. Throws `ALREADY_EXISTS` for another dead-letter queue,
   * and for a queue that has the name of a lane.
   */
  declare(spec: QueueSpec, deadLetter: boolean, lane: Priority = "standard"): MemoryQueue {
    const queue = this.#queue(spec.lanes ? `${spec.name}.${lane}` : spec.name, spec.lanes);
    if (queue.isLane !== spec.lanes) throw otherKind(queue.name, queue.isLane);
    const asked = spec.deadLetterQueue;
    if (!deadLetter || asked === undefined || asked === queue.deadLetterQueue) return queue;
    if (queue.deadLetterQueue !== undefined) throw otherDeadLetterQueue(spec.name, queue.deadLetterQueue, asked);
    queue.deadLetterQueue = asked;
    this.#queue(asked);
    return queue;
  }

  /** The queue, if it is there. A queue with lanes is known by the names of its lanes alone. */
  find(name: string): MemoryQueue | undefined {
    return this.#queues.get(name);
  }

  enter(client: Client): void {
    this.#clients.add(client);
    if (this.#clients.size === 1) this.#sleep(false);
  }

  leave(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size === 0) this.#sleep(true);
  }

  /** With nobody connected, nobody can tell whether what is due happens now or on the next connect. */
  #sleep(isAsleep: boolean): void {
    for (const queue of this.#queues.values()) queue.sleep(isAsleep);
  }

  #queue(name: string, isLane = false): MemoryQueue {
    const present = this.#queues.get(name);
    if (present !== undefined) return present;
    const queue = new MemoryQueue(name, isLane, this.#surroundings);
    this.#queues.set(name, queue);
    return queue;
  }
}
