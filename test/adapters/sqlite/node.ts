import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import type { Broker } from "../../../adapters/sqlite/broker.js";
import { sqliteDriver } from "../../../adapters/sqlite/index.js";
import { findBroker } from "../../../adapters/sqlite/open-brokers.js";
import type { SqliteOptions } from "../../../adapters/sqlite/options.js";
import type {
  Address,
  DriverConnection,
  DriverConsumer,
  DriverStore,
  QueueSpec,
  WireDelivery,
  WireMessage,
} from "../../../src/driver/index.js";

export const ORDERS: QueueSpec = { name: "orders", deadLetterQueue: "orders.dead", lanes: false };
export const DEAD: QueueSpec = { name: "orders.dead", deadLetterQueue: undefined, lanes: false };
export const toOrders: Address = { kind: "queue", queue: ORDERS };

/** A file that is there for one test. */
export function newFile(): string {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-sqlite-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, "events.db");
}

export function message(messageId: string, more: Partial<WireMessage> = {}): WireMessage {
  return {
    messageId,
    contentType: "text/plain",
    headers: {},
    body: new TextEncoder().encode(messageId),
    timestamp: 0,
    persistent: true,
    ...more,
  };
}

/** Waits for the condition, at most half a minute. */
export async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within half a minute: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A few turns of the event loop, after which everything that can move without a timer has moved. */
export async function turns(): Promise<void> {
  for (let left = 8; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
}

export interface Taking {
  readonly consumer: DriverConsumer;
  readonly deliveries: readonly WireDelivery[];
  ids(): readonly string[];
  /** The delivery with this number, once it is there. */
  at(index: number): Promise<WireDelivery>;
}

export interface Node {
  readonly connection: DriverConnection;
  readonly store: DriverStore;
  readonly broker: Broker;
  readonly lost: readonly unknown[];
  publish(...ids: readonly string[]): Promise<void>;
  take(prefetch: number, spec?: QueueSpec): Promise<Taking>;
}

/** Connects. The connection is closed when the test is over. */
export async function openNode(options: SqliteOptions): Promise<Node> {
  const lost: unknown[] = [];
  const connection = await sqliteDriver(options).connect({
    signal: new AbortController().signal,
    onLost: (error) => lost.push(error),
    onBlocked: () => {},
    onReturned: () => {},
  });
  onTestFinished(() => connection.close());
  const broker = findBroker(options.file);
  const { store } = connection;
  if (broker === undefined || store === undefined) throw new Error("the file is not open");
  return {
    connection,
    store,
    broker,
    lost,
    async publish(...ids) {
      await Promise.all(ids.map((id) => connection.publish(toOrders, message(id))));
    },
    async take(prefetch, spec = ORDERS) {
      const deliveries: WireDelivery[] = [];
      const consumer = await connection.consume(
        spec,
        { prefetch },
        (delivery) => deliveries.push(delivery),
        (error) => lost.push(error),
      );
      return {
        consumer,
        deliveries,
        ids: () => deliveries.map((delivery) => delivery.message.messageId),
        async at(index) {
          await until(() => deliveries.length > index);
          return deliveries[index] as WireDelivery;
        },
      };
    },
  };
}

/** How many of a queue are in which state, the file asked. */
export async function statesOf(node: Node, spec: QueueSpec = ORDERS): Promise<Readonly<Record<string, number>>> {
  const states = ["available", "in-processing", "processed", "failed", "removed", "reaped"] as const;
  const counts: Record<string, number> = {};
  for (const { state } of await node.store.browse(spec, { states, limit: 100_000 })) {
    counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}

export async function settle(
  delivery: WireDelivery,
  how: Parameters<WireDelivery["settle"]>[0] = "ack",
): Promise<void> {
  expect(await delivery.settle(how)).toBe(true);
}
