import type { ClientReadableStream, ServiceError } from "@grpc/grpc-js";
import {
  createGrpcGateway,
  createQueueApiClient,
  type EventMsg,
  type EventMsg__Output,
  type GrpcOptions,
  type QueueApiClient,
} from "../../../adapters/grpc/index.js";
import { type MemoryBroker, memoryBroker, memoryDriver } from "../../../adapters/memory/index.js";
import { createMessaging } from "../../../src/core/messaging.js";
import { createEventService, type EventOptions, type EventService } from "../../../src/events/index.js";
import type { Gateway } from "../../../src/ports/gateway.js";
import type { Messaging } from "../../../src/ports/messaging.js";

const DEADLINE_MS = 30_000;

/** Waits for a condition; fails with what was waited for. */
export async function until(condition: () => boolean, what = condition.toString()): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not so within ${DEADLINE_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A SubscribeEvents call and what came through it. */
export class Reader {
  readonly received: EventMsg__Output[] = [];
  readonly call: ClientReadableStream<EventMsg__Output>;
  headersCame = false;
  /** "OK" at the end of the stream, otherwise the error. */
  outcome: "OK" | ServiceError | undefined;

  constructor(call: ClientReadableStream<EventMsg__Output>, onEvent: (event: EventMsg__Output) => void = () => {}) {
    this.call = call;
    call.on("metadata", () => {
      this.headersCame = true;
    });
    call.on("data", (event: EventMsg__Output) => {
      this.received.push(event);
      onEvent(event);
    });
    call.on("error", (error: ServiceError) => {
      this.outcome = error;
    });
    call.on("end", () => {
      this.outcome ??= "OK";
    });
  }

  get bodies(): string[] {
    return this.received.map(({ eventJson }) => eventJson);
  }

  get tokens(): string[] {
    return this.received.map(({ userToken }) => userToken);
  }

  get last(): EventMsg__Output {
    const last = this.received.at(-1);
    if (last === undefined) throw new Error("nothing received");
    return last;
  }
}

export interface RigOptions {
  readonly events?: EventOptions;
  readonly grpc?: GrpcOptions;
}

/** A server on the memory broker, listening on a free loopback port, and its clients. Close it, whatever happened. */
export class GrpcRig {
  readonly broker: MemoryBroker = memoryBroker();
  readonly messaging: Messaging;
  readonly events: EventService;
  readonly gateway: Gateway;
  address = "";
  readonly #clients: QueueApiClient[] = [];

  constructor({ events = {}, grpc = {} }: RigOptions = {}) {
    this.messaging = createMessaging({ driver: memoryDriver({ broker: this.broker }) });
    this.events = createEventService({ ...events, messaging: this.messaging });
    this.gateway = createGrpcGateway({ listen: "127.0.0.1:0", ...grpc, events: this.events });
  }

  static async start(options: RigOptions = {}): Promise<GrpcRig> {
    const rig = new GrpcRig(options);
    rig.address = await rig.gateway.start();
    return rig;
  }

  /** With a connection of its own. */
  client(): QueueApiClient {
    const client = createQueueApiClient(this.address);
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    this.broker.thaw();
    for (const client of this.#clients) client.close();
    await this.gateway.close({ drainMs: 0 });
    await this.events.close({ drainMs: 0 });
    await this.messaging.close({ drainMs: 0 });
  }
}

export function post(client: QueueApiClient, message: EventMsg): Promise<void> {
  return new Promise((resolve, reject) => {
    client.PostEvent(message, (error) => (error === null ? resolve() : reject(error)));
  });
}

export function ack(client: QueueApiClient, userToken: string, success = true): Promise<void> {
  return new Promise((resolve, reject) => {
    client.Ack({ userToken, success }, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Acknowledges each event as it comes. */
export function acknowledge(client: QueueApiClient): (event: EventMsg__Output) => void {
  // What the test did not wait for may fail at its end.
  return ({ userToken }) => void ack(client, userToken).catch(() => undefined);
}

export function closeClient(client: QueueApiClient, clientId: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.Close({ clientId }, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Resolves once the server has the subscription. */
export async function subscribe(
  client: QueueApiClient,
  clientId: string,
  onEvent?: (event: EventMsg__Output) => void,
): Promise<Reader> {
  const reader = new Reader(client.SubscribeEvents({ clientId }), onEvent);
  await until(() => reader.headersCame, `headers for ${clientId}`);
  return reader;
}
