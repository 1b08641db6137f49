import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  type ClientSecurityOptions,
  createGrpcGateway,
  createQueueApiClient,
  type GrpcGatewayOptions,
  type QueueApiClient,
} from "../../adapters/grpc/index.js";
import { memoryDriver } from "../../adapters/memory/index.js";
import { createMessaging } from "../../src/core/messaging.js";
import { createEventService, type EventService } from "../../src/events/index.js";
import type { Gateway } from "../../src/ports/gateway.js";
import type { Messaging } from "../../src/ports/messaging.js";
import type { Observation } from "../../src/ports/observer.js";

export function certificatePath(name: string): string {
  return fileURLToPath(new URL(`certificates/${name}`, import.meta.url));
}

export function certificate(name: string): string {
  return readFileSync(certificatePath(name), "utf8");
}

export const SERVER_TLS = { certFile: certificatePath("server.pem"), keyFile: certificatePath("server.key") } as const;

type Of<Type extends Observation["type"]> = Extract<Observation, { type: Type }>;

/** A gateway on the memory broker, and clients of it. Close it, whatever happened. */
export class SecureServer {
  readonly observations: Observation[] = [];
  readonly messaging: Messaging;
  readonly events: EventService;
  readonly gateway: Gateway;
  address = "";
  readonly #clients: QueueApiClient[] = [];

  constructor(options: Omit<GrpcGatewayOptions, "events"> = {}) {
    this.messaging = createMessaging({ driver: memoryDriver() });
    this.events = createEventService({ messaging: this.messaging });
    this.gateway = createGrpcGateway({
      listen: "127.0.0.1:0",
      observers: [(observation) => this.observations.push(observation)],
      refusalDelayMs: 50,
      ...options,
      events: this.events,
    });
  }

  static async start(options: Omit<GrpcGatewayOptions, "events"> = {}): Promise<SecureServer> {
    const server = new SecureServer(options);
    server.address = await server.gateway.start();
    return server;
  }

  client(security: ClientSecurityOptions = {}): QueueApiClient {
    const client = createQueueApiClient(this.address, security);
    this.#clients.push(client);
    return client;
  }

  told<Type extends Observation["type"]>(type: Type): readonly Of<Type>[] {
    return this.observations.filter((one): one is Of<Type> => one.type === type);
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.gateway.close({ drainMs: 0 });
    await this.events.close({ drainMs: 0 });
    await this.messaging.close({ drainMs: 0 });
  }
}

/** What came of one post: "OK" or the name of the status, and its text. */
export function postOutcome(
  client: QueueApiClient,
  clientId = "a",
  deadlineMs = 10_000,
): Promise<{ readonly code: number; readonly details: string }> {
  return new Promise((resolve) => {
    const limits = { deadline: Date.now() + deadlineMs };
    client.PostEvent({ clientId, eventJson: "{}" }, limits, (error) =>
      resolve(error === null ? { code: 0, details: "" } : { code: error.code, details: error.details }),
    );
  });
}
