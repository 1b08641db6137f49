import type { ConsumeOptions, Consumer, Delivery, Messaging, PublishOptions, Queue, Settlement } from "../../index.js";
import type { ContractContext } from "../context.js";
import type { Collector } from "../probe.js";
import { bytes, text } from "../text.js";

/** A delivery as a handler saw it. */
export interface Seen {
  readonly text: string;
  readonly delivery: Delivery<Uint8Array>;
  /** By `performance.now()`. */
  readonly at: number;
}

export interface Taking {
  readonly consumer: Consumer;
  readonly seen: Collector<Seen>;
}

/** What a handler answers; `index` counts its calls from 0. */
export type Answer = (
  seen: Seen,
  index: number,
) => Settlement | undefined | Promise<Settlement | undefined> | Promise<void>;

/** Publishes one after the other. */
export async function post(context: ContractContext, queue: Queue, ...bodies: string[]): Promise<void> {
  for (const body of bodies) await postOne(context, queue, body);
}

export async function postOne(
  context: ContractContext,
  queue: Queue,
  body: string,
  options: PublishOptions = {},
): Promise<void> {
  await context.soon(queue.publish({ body: bytes(body) }, options), `publish of ${body}`);
}

/** Publishes all at once. */
export function postAll(context: ContractContext, queue: Queue, bodies: readonly string[]): Promise<unknown> {
  return context.soon(
    Promise.all(bodies.map((body) => queue.publish({ body: bytes(body) }))),
    `publish of ${bodies.length} messages`,
  );
}

/** Consumes and records; without `answer`, acknowledges. */
export async function take(
  context: ContractContext,
  queue: Queue,
  answer: Answer = () => "ack",
  options: ConsumeOptions = {},
): Promise<Taking> {
  const seen = context.collector<Seen>("deliveries", showSeen);
  const consumer = await context.soon(
    queue.consume(
      async (delivery) => {
        const item: Seen = { text: text(delivery.body), delivery, at: performance.now() };
        seen.add(item);
        return (await answer(item, seen.items.length - 1)) ?? undefined;
      },
      consumeOptions(context, options),
    ),
    `consume of ${queue.name}`,
  );
  return { consumer, seen };
}

/** The defaults, except where the adapter has no dead letters: there they must be asked away. */
export function consumeOptions(context: ContractContext, options: ConsumeOptions = {}): ConsumeOptions {
  if (context.capabilities.queue.deadLetter) return options;
  const infinite = Number.POSITIVE_INFINITY;
  return { maxAttempts: infinite, maxDeliveries: infinite, ...options };
}

/** Resolves when the delivery is no longer ours, so that a handler ends with it. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** What a handler that fails does. */
export function failWith(error: Error): Promise<undefined> {
  return Promise.reject(error);
}

export function texts(seen: Collector<Seen>): string[] {
  return seen.items.map((item) => item.text);
}

export function distinct(seen: Collector<Seen>): ReadonlySet<string> {
  return new Set(texts(seen));
}

export function isSubset(part: readonly string[], whole: ReadonlySet<string>): boolean {
  return part.every((item) => whole.has(item));
}

/** What the dead-letter queue of `name` holds, as it comes. */
export async function takeDead(context: ContractContext, messaging: Messaging, name: string): Promise<Collector<Seen>> {
  const { seen } = await take(context, messaging.queue(`${name}.dead`));
  return seen;
}

/** Proves that nothing but `expected` is in the queue: a message that is published now comes right after. */
export async function holdsOnly(
  context: ContractContext,
  messaging: Messaging,
  name: string,
  expected: readonly string[] = [],
): Promise<void> {
  const queue = messaging.queue(name);
  await post(context, queue, "marker");
  const { consumer, seen } = await take(context, queue);
  await seen.find((item) => item.text === "marker", "the marker");
  await context.soon(consumer.close(), "close of the consumer that looks for the marker");
  const others = texts(seen).filter((body) => body !== "marker");
  const stray = others.filter((body) => !expected.includes(body));
  if (stray.length > 0 || others.length !== expected.length) {
    throw new Error(`the queue must hold ${JSON.stringify(expected)} and a marker; ${seen}`);
  }
}

function showSeen({ text: body, delivery }: Seen): string {
  const shown = body.length > 40 ? `${body.slice(0, 40)}… (${body.length})` : body;
  return `${shown} attempt ${delivery.attempt}${delivery.redelivered ? " redelivered" : ""}`;
}
