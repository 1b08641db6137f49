import assert, { AssertionError } from "node:assert";
import type {
  DeliveredEvent,
  EventOptions,
  EventService,
  EventSubscribeOptions,
  EventSubscription,
  OutgoingEvent,
  PostOptions,
} from "../../events/index.js";
import type { CloseOptions, Messaging } from "../../index.js";
import type { ContractContext, ContractNode } from "../context.js";
import type { Collector } from "../probe.js";
import { consumeOptions, post, take, texts } from "../queue/steps.js";
import { bytes, text } from "../text.js";
import type { ClientStream, EventsUnderTest } from "./events-under-test.js";

/** An event service on a node of its own. */
export interface EventNode extends ContractNode {
  readonly queue: string;
  readonly service: EventsUnderTest;
  /** The service itself; only for cases that need `eventService`. */
  whole(): EventService;
}

export interface EventNodeOptions extends EventOptions {
  readonly queue: string;
  /** The queue is left to be made by whoever uses it first. */
  readonly isFresh?: boolean;
}

/** An event as a client got it. */
export interface Received {
  readonly text: string;
  readonly event: DeliveredEvent;
  /** By `performance.now()`. */
  readonly at: number;
}

/** A stream of events to one client. */
export interface Client {
  readonly seen: Collector<Received>;
  /** When its stream ended, by `performance.now()`; one end at most. */
  readonly ends: Collector<number>;
  /** The stream, once the service has it. */
  readonly ready: Promise<ClientStream>;
  /** The subscriber is gone, without a word. */
  vanish(): void;
}

/** What a client says to an event; nothing: it keeps it. */
export type Reply = "ack" | "nack" | undefined;

export interface JoinOptions extends Pick<EventSubscribeOptions, "credit"> {
  /** `index` counts the client's events from 0. Default: it keeps them all. */
  readonly reply?: (received: Received, index: number) => Reply;
}

/** So long that the case is over before it. */
export const LONG_MS = 600_000;

/** Of servers that pass acks on to each other: soon, and not for long. */
export const FORWARDING = { ackForwardIntervalMs: 100, ackForwardTimeoutMs: 400 } as const;

/**
 * A node with an event service. Nothing times out, is tried again or waits for its turn, unless the case says so: its
 * options are for all servers of one queue.
 */
export async function eventNode(
  context: ContractContext,
  { isFresh = false, ...options }: EventNodeOptions,
  node?: ContractNode,
): Promise<EventNode> {
  const { messaging, observed } = node ?? (await context.node());
  if (!isFresh) await prepare(context, messaging, options.queue);
  const given = { ackTimeoutMs: LONG_MS, retryScheduleMs: [LONG_MS], subscribeIntervalMs: 0, ...options };
  const { service, whole } = await context.events({ ...given, messaging, observers: [observed.add] });
  return {
    messaging,
    observed,
    queue: options.queue,
    service,
    whole() {
      if (whole === undefined)
        throw new AssertionError({ message: "the case does not say that it needs eventService" });
      return whole;
    },
  };
}

const answers = new WeakMap<ContractContext, Promise<unknown>[]>();

/** What the clients of a case have answered. An answer that is under way when the case ends has nobody to tell. */
function answersOf(context: ContractContext): Promise<unknown>[] {
  const own = answers.get(context) ?? [];
  answers.set(context, own);
  return own;
}

const prepared = new WeakMap<ContractContext, Set<string>>();

/**
 * Has the queue made before anybody uses it: what a broker does with several that make one at the same moment is a
 * matter of the queue, not of events.
 */
async function prepare(context: ContractContext, messaging: Messaging, queue: string): Promise<void> {
  const known = prepared.get(context) ?? new Set();
  prepared.set(context, known);
  if (known.has(queue)) return;
  known.add(queue);
  const options = consumeOptions(context, { concurrency: 0 });
  const consumer = await context.soon(
    messaging.queue(queue).consume(async () => "release", options),
    "consume",
  );
  await context.soon(consumer.close(), "close of the consumer that made the queue");
}

export function event(body: string, rest: Omit<OutgoingEvent, "body"> = {}): OutgoingEvent {
  return { body: bytes(body), ...rest };
}

export async function postEvent(
  context: ContractContext,
  { service }: Pick<EventNode, "service">,
  posted: OutgoingEvent,
  options: PostOptions = {},
): Promise<void> {
  await context.soon(service.post(posted, options), "post");
}

/** Posts one after the other. */
export async function postEvents(
  context: ContractContext,
  node: Pick<EventNode, "service">,
  bodies: readonly string[],
): Promise<void> {
  for (const body of bodies) await postEvent(context, node, event(body));
}

/** Subscribes; does not wait for the service to have it. */
export function joining(
  context: ContractContext,
  { service }: Pick<EventNode, "service">,
  clientId: string,
  { reply = () => undefined, credit }: JoinOptions = {},
): Client {
  const seen = context.collector<Received>(`events of ${clientId}`, showReceived);
  const ends = context.collector<number>(`ends of ${clientId}`, (at) => `at ${Math.round(at)}`);
  const leaving = new AbortController();
  const deliver = async (delivered: DeliveredEvent): Promise<boolean> => {
    const item: Received = { text: text(delivered.body), event: delivered, at: performance.now() };
    seen.add(item);
    const answer = reply(item, seen.items.length - 1);
    if (answer !== undefined) {
      answersOf(context).push(service.ack(delivered.ackToken, answer === "ack").catch(() => undefined));
    }
    return true;
  };
  const options = { signal: leaving.signal, ...(credit === undefined ? {} : { credit }) };
  const ready = Promise.resolve(
    service.subscribe(clientId, { deliver, end: () => ends.add(performance.now()) }, options),
  );
  ready.catch(() => undefined);
  return { seen, ends, ready, vanish: () => leaving.abort() };
}

/** Subscribes, and resolves once the service knows. */
export async function join(
  context: ContractContext,
  node: Pick<EventNode, "service">,
  clientId: string,
  options: JoinOptions = {},
): Promise<Client> {
  const client = joining(context, node, clientId, options);
  await context.soon(client.ready, `subscribe of ${clientId}`);
  return client;
}

/** A client that is done with each event at once. */
export function joinAcking(context: ContractContext, node: EventNode, clientId: string): Promise<Client> {
  return join(context, node, clientId, { reply: () => "ack" });
}

export async function ack(
  context: ContractContext,
  { service }: Pick<EventNode, "service">,
  { event: delivered }: Received,
  success = true,
): Promise<unknown> {
  return context.soon(service.ack(delivered.ackToken, success), success ? "ack" : "nack");
}

export async function closeService(
  context: ContractContext,
  { service }: Pick<EventNode, "service">,
  options: CloseOptions = { drainMs: 0 },
): Promise<void> {
  await context.soon(service.close(options), "close of the event service");
}

/**
 * Proves that these events are in the queue and no others, once the services that could hold some are closed: what is
 * published now comes behind them, or at least beside what is just being given back.
 */
export async function queueHolds(
  context: ContractContext,
  nodes: readonly [EventNode, ...EventNode[]],
  expected: readonly string[] = [],
): Promise<void> {
  await context.soon(Promise.all(answersOf(context)), "what clients have answered");
  for (const node of nodes) await closeService(context, node);
  const [{ messaging, queue }] = nodes;
  await post(context, messaging.queue(queue), MARKER);
  const { consumer, seen } = await take(context, messaging.queue(queue));
  const all = [...expected, MARKER];
  await seen.until((items) => all.every((body) => count(items, body) >= count(all, body)), `${all.join(", ")}`);
  await context.soon(consumer.close(), "close of the consumer that looks for what is left");
  assert.deepEqual(texts(seen).sort(), all.sort(), "what is left in the queue");
}

const MARKER = "marker of the end";

function count(items: readonly (string | { readonly text: string })[], body: string): number {
  return items.filter((item) => (typeof item === "string" ? item : item.text) === body).length;
}

export function received(...clients: readonly Client[]): string[] {
  return clients.flatMap(({ seen }) => seen.items.map((item) => item.text));
}

/** Resolves once these clients have got so many events together. */
export async function together(context: ContractContext, count: number, clients: readonly Client[]): Promise<void> {
  await context.until(
    () => received(...clients).length >= count,
    () => `${count} events in all; ${clients.map(({ seen }) => String(seen)).join("; ")}`,
  );
}

function showReceived({ text: body, event: { attempt } }: Received): string {
  const shown = body.length > 40 ? `${body.slice(0, 40)}… (${body.length})` : body;
  return `${shown} attempt ${attempt}`;
}

/** A subscription of the service itself. */
export function subscriptionOf(stream: ClientStream): EventSubscription {
  if (!("setCredit" in stream))
    throw new AssertionError({ message: "the case does not say that it needs eventService" });
  return stream as EventSubscription;
}
