import { randomUUID } from "node:crypto";
import type {
  DriverConnection,
  DriverConsumeOptions,
  DriverConsumer,
  QueueSpec,
  WireDelivery,
  WireMessage,
} from "../../driver/index.js";
import type { ContractContext, ContractLink } from "../context.js";
import type { Collector } from "../probe.js";
import { bytes, text } from "../text.js";

export interface Out {
  readonly text: string;
  readonly delivery: WireDelivery;
  readonly at: number;
}

export interface Consuming {
  readonly consumer: DriverConsumer;
  readonly out: Collector<Out>;
  readonly lost: Collector<unknown>;
}

export function wire(body: string | Uint8Array, more: Partial<WireMessage> = {}): WireMessage {
  return {
    messageId: randomUUID(),
    contentType: "application/octet-stream",
    headers: {},
    body: typeof body === "string" ? bytes(body) : body,
    timestamp: Date.now(),
    persistent: false,
    ...more,
  };
}

export function spec(context: ContractContext, purpose: string): QueueSpec {
  const name = context.name(purpose);
  return { name, deadLetterQueue: context.capabilities.queue.deadLetter ? `${name}.dead` : undefined, lanes: false };
}

export function deadLettersOf({ name }: QueueSpec): QueueSpec {
  return { name: `${name}.dead`, deadLetterQueue: undefined, lanes: false };
}

export async function send(
  context: ContractContext,
  connection: DriverConnection,
  queue: QueueSpec,
  ...bodies: string[]
): Promise<void> {
  for (const body of bodies) {
    await context.soon(connection.publish({ kind: "queue", queue }, wire(body)), `publish of ${body}`);
  }
}

/** Consumes and records; a number is a prefetch; `onOut` may settle. */
export async function draw(
  context: ContractContext,
  { connection }: Pick<ContractLink, "connection">,
  queue: QueueSpec,
  options: number | DriverConsumeOptions,
  onOut: (out: Out) => void = () => {},
): Promise<Consuming> {
  const out = context.collector<Out>("deliveries", (item) => item.text);
  const lost = context.collector<unknown>("losses", String);
  const consumer = await context.soon(
    connection.consume(
      queue,
      typeof options === "number" ? { prefetch: options } : options,
      (delivery) => {
        const item = { text: text(delivery.message.body), delivery, at: performance.now() };
        out.add(item);
        onOut(item);
      },
      lost.add,
    ),
    `consume of ${queue.name}`,
  );
  return { consumer, out, lost };
}

/** Settles and fails unless the settlement reached the broker. */
export async function settle(
  context: ContractContext,
  { delivery }: Out,
  settlement: Parameters<WireDelivery["settle"]>[0] = "ack",
): Promise<void> {
  const reached = await context.soon(delivery.settle(settlement), "settle");
  if (!reached) throw new Error("settle says that it did not reach the broker, although the link holds");
}

export function drawn(out: Collector<Out>): string[] {
  return out.items.map((item) => item.text);
}
