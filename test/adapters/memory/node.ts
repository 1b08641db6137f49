import { onTestFinished } from "vitest";
import { type MemoryOptions, memoryDriver } from "../../../adapters/memory/index.js";
import type {
  Address,
  DriverConnection,
  DriverConsumer,
  QueueSpec,
  WireDelivery,
  WireMessage,
} from "../../../src/driver/index.js";
import type { Priority } from "../../../src/index.js";

export const ORDERS: QueueSpec = { name: "orders", deadLetterQueue: "orders.dead", lanes: false };
export const DEAD: QueueSpec = { name: "orders.dead", deadLetterQueue: undefined, lanes: false };
export const toOrders: Address = { kind: "queue", queue: ORDERS };

export function message(messageId: string, more: Partial<WireMessage> = {}): WireMessage {
  return {
    messageId,
    contentType: "text/plain",
    headers: {},
    body: new TextEncoder().encode(messageId),
    timestamp: 0,
    persistent: false,
    ...more,
  };
}

/** Waits for the condition, turn by turn of the event loop, at most half a minute. */
export async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within half a minute: ${condition}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A few turns of the event loop, after which everything that can move without a timer has moved. */
export async function turns(): Promise<void> {
  for (let left = 5; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
}

/** One connection, with everything that was told to it. */
export interface Node {
  readonly connection: DriverConnection;
  readonly lost: readonly unknown[];
  readonly blocked: readonly boolean[];
  readonly returned: readonly string[];
  publish(...ids: readonly string[]): Promise<void>;
  consume(prefetch: number, spec?: QueueSpec): Promise<Taker>;
}

/** Connects. The connection is closed when the test is over. */
export async function openNode(options: MemoryOptions = {}): Promise<Node> {
  const lost: unknown[] = [];
  const blocked: boolean[] = [];
  const returned: string[] = [];
  const connection = await memoryDriver(options).connect({
    signal: new AbortController().signal,
    onLost: (error) => lost.push(error),
    onBlocked: (isBlocked) => blocked.push(isBlocked),
    onReturned: (frame) => returned.push(frame.messageId),
  });
  onTestFinished(() => connection.close());
  return {
    connection,
    lost,
    blocked,
    returned,
    async publish(...ids) {
      await Promise.all(ids.map((id) => connection.publish(toOrders, message(id))));
    },
    consume: (prefetch, spec = ORDERS) => Taker.start(connection, prefetch, spec),
  };
}

/** A consumer that keeps what it is given. */
export class Taker {
  readonly deliveries: WireDelivery[] = [];
  readonly lost: unknown[] = [];
  #consumer: DriverConsumer | undefined;

  static async start(connection: DriverConnection, prefetch: number, spec: QueueSpec, lane?: Priority): Promise<Taker> {
    const taker = new Taker();
    taker.#consumer = await connection.consume(
      spec,
      { prefetch, lane },
      (delivery) => taker.deliveries.push(delivery),
      (error) => taker.lost.push(error),
    );
    return taker;
  }

  get consumer(): DriverConsumer {
    if (this.#consumer === undefined) throw new Error("not started");
    return this.#consumer;
  }

  get ids(): string[] {
    return this.deliveries.map(({ message: { messageId } }) => messageId);
  }

  delivery(index: number): WireDelivery {
    const delivery = this.deliveries[index];
    if (delivery === undefined) throw new Error(`no delivery ${index}, there are ${this.deliveries.length}`);
    return delivery;
  }

  /** What has come, once there are this many; then the next turns, in which more could come. */
  async taken(count: number): Promise<string[]> {
    await until(() => this.deliveries.length >= count);
    await turns();
    return this.ids;
  }
}
