import { randomUUID } from "node:crypto";
import { onTestFinished } from "vitest";
import { type RabbitmqOptions, rabbitmqDriver } from "../../../adapters/rabbitmq/index.js";
import type {
  Driver,
  DriverConnection,
  DriverConsumer,
  QueueSpec,
  WireDelivery,
  WireMessage,
} from "../../../src/driver/index.js";
import type { MessagingError, Priority } from "../../../src/index.js";
import { waitUntil } from "../../../tools/process/wait-until.js";
import { startTcpProxy, type TcpProxy } from "../../../tools/proxy/tcp-proxy.js";
import { brokerPort, brokerUrl, type Operator, openOperator, uniqueName } from "./broker.js";

/** One connection of a driver, with all that it told. Closed when the test ends. */
export interface TestLink {
  readonly driver: Driver;
  readonly connection: DriverConnection;
  readonly lost: unknown[];
  readonly blocked: boolean[];
  readonly returned: WireMessage[];
}

export async function connectDriver(given: Partial<RabbitmqOptions> | Driver = {}): Promise<TestLink> {
  const driver = "connect" in given ? given : rabbitmqDriver({ url: brokerUrl, closeTimeoutMs: 2_000, ...given });
  const lost: unknown[] = [];
  const blocked: boolean[] = [];
  const returned: WireMessage[] = [];
  const connection = await driver.connect({
    signal: AbortSignal.timeout(20_000),
    onLost: (error) => lost.push(error),
    onBlocked: (now) => blocked.push(now),
    onReturned: (frame) => returned.push(frame),
  });
  onTestFinished(() => connection.close());
  return { driver, connection, lost, blocked, returned };
}

/** A proxy before the broker, stopped when the test ends. */
export async function proxied(): Promise<TcpProxy & { readonly url: string }> {
  const proxy = await startTcpProxy(brokerPort);
  onTestFinished(() => proxy.stop());
  return Object.assign(proxy, { url: `amqp://127.0.0.1:${proxy.port}` });
}

export async function operator(): Promise<Operator> {
  const opened = await openOperator();
  onTestFinished(() => opened.close());
  return opened;
}

/** A queue of this test alone, deleted with its dead letters when the test ends. */
export function testQueue(purpose: string): QueueSpec {
  const name = uniqueName(purpose);
  onTestFinished(async () => {
    const { deleteQueue, close } = await openOperator();
    await deleteQueue(name);
    await deleteQueue(`${name}.dead`);
    await close();
  });
  return { name, deadLetterQueue: `${name}.dead`, lanes: false };
}

export function deadLettersOf(queue: QueueSpec): QueueSpec {
  return { name: `${queue.name}.dead`, deadLetterQueue: undefined, lanes: false };
}

export function wire(body: string, more: Partial<WireMessage> = {}): WireMessage {
  return {
    messageId: randomUUID(),
    contentType: "text/plain",
    headers: {},
    body: Buffer.from(body),
    timestamp: Date.now(),
    persistent: true,
    ...more,
  };
}

export function bodyOf({ message }: WireDelivery): string {
  return Buffer.from(message.body).toString();
}

export interface Taking {
  readonly consumer: DriverConsumer;
  readonly deliveries: WireDelivery[];
  readonly lost: unknown[];
  /** The delivery with this number, waited for. */
  at(index: number, timeoutMs?: number): Promise<WireDelivery>;
}

export async function take(
  connection: DriverConnection,
  queue: QueueSpec,
  {
    prefetch = 10,
    lane,
    settle,
  }: { prefetch?: number; lane?: Priority; settle?: (delivery: WireDelivery) => void } = {},
): Promise<Taking> {
  const deliveries: WireDelivery[] = [];
  const lost: unknown[] = [];
  const onDelivery = (delivery: WireDelivery): void => {
    deliveries.push(delivery);
    settle?.(delivery);
  };
  const consumer = await connection.consume(queue, { prefetch, lane }, onDelivery, (error) => lost.push(error));
  return {
    consumer,
    deliveries,
    lost,
    async at(index, timeoutMs = 20_000) {
      const what = () => `delivery ${index} of ${queue.name}, there are ${deliveries.map(bodyOf).join(", ") || "none"}`;
      await waitUntil(() => deliveries.length > index, { what, timeoutMs });
      const delivery = deliveries[index];
      if (delivery === undefined) throw new Error(what());
      return delivery;
    },
  };
}

export async function eventually(
  condition: () => boolean,
  what: string | (() => string),
  timeoutMs = 20_000,
): Promise<void> {
  await waitUntil(condition, { what, timeoutMs });
}

/** What the promise was rejected with, translated. */
export async function refusal({ driver }: TestLink, refused: Promise<unknown>): Promise<MessagingError> {
  const outcome = await refused.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  if (outcome === undefined) throw new Error("it was not refused");
  return driver.toMessagingError(outcome.error);
}
