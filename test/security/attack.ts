import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { QueueApiClient } from "../../adapters/grpc/index.js";
import { createGrpcGateway, createQueueApiClient, type GrpcOptions } from "../../adapters/grpc/index.js";
import { memoryBroker, memoryDriver } from "../../adapters/memory/index.js";
import { Stopwatch } from "../../src/contract/stopwatch.js";
import { createMessaging } from "../../src/core/messaging.js";
import { createEventService, type EventService } from "../../src/events/index.js";
import type { Gateway } from "../../src/ports/gateway.js";
import type { Observation } from "../../src/ports/observer.js";
import { ack } from "../adapters/grpc/rig.js";

const ATTACKER = fileURLToPath(new URL("attacker.mjs", import.meta.url));

export type Refused = Extract<Observation, { type: "client-refused" }>;

/** A gateway on the memory broker that notes what it observes. Close it, whatever happened. */
export class GuardedRig implements AsyncDisposable {
  readonly observations: Observation[] = [];
  readonly gateway: Gateway;
  readonly events: EventService;
  address = "";
  readonly #clients: QueueApiClient[] = [];
  readonly #closeRest: () => Promise<void>;

  constructor(grpc: GrpcOptions) {
    const observers = [(observation: Observation) => void this.observations.push(observation)];
    const messaging = createMessaging({ driver: memoryDriver({ broker: memoryBroker() }), observers });
    const events = createEventService({ messaging, observers });
    this.events = events;
    this.gateway = createGrpcGateway({ listen: "127.0.0.1:0", ...grpc, events, observers });
    this.#closeRest = async () => {
      await events.close({ drainMs: 0 });
      await messaging.close({ drainMs: 0 });
    };
  }

  static async start(grpc: GrpcOptions = {}): Promise<GuardedRig> {
    const rig = new GuardedRig(grpc);
    rig.address = await rig.gateway.start();
    return rig;
  }

  get port(): number {
    return Number(this.address.split(":").at(-1));
  }

  get refused(): readonly Refused[] {
    return this.observations.filter((observation): observation is Refused => observation.type === "client-refused");
  }

  /** With a connection of its own. */
  client(): QueueApiClient {
    const client = createQueueApiClient(this.address);
    this.#clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.gateway.close({ drainMs: 0 });
    await this.#closeRest();
  }
}

/** What the attacker tells at its end. */
export interface AttackResult {
  readonly bytes: number;
  /** Calls that were answered. */
  readonly answers: number;
  /** The code with which the server said goodbye. */
  readonly goaway: number | null;
  readonly pings: number;
  /** When the server ended the connection; null: it did not. */
  readonly endedMs: number | null;
}

/** A process that attacks, also in several ways at once. Close it, whatever happened. */
export class Attacker implements Disposable {
  readonly #child = spawn(process.execPath, [ATTACKER], { stdio: ["pipe", "pipe", "inherit"] });
  readonly #waiting = new Map<number, { resolve(result: AttackResult): void; reject(error: Error): void }>();
  #nextId = 1;

  constructor() {
    const lines = createInterface({ input: this.#child.stdout });
    lines.on("line", (line) => {
      const result = JSON.parse(line) as AttackResult & { readonly id: number };
      this.#waiting.get(result.id)?.resolve(result);
      this.#waiting.delete(result.id);
    });
    lines.on("close", () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("the attacker ended during an attack"));
    });
  }

  /** Until the server ends the connection, or the time is over. */
  attack(kind: string, port: number, limitMs = 10_000, transport: "plain" | "tls" = "plain"): Promise<AttackResult> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.stdin.write(`${id} ${kind} ${port} ${limitMs} ${transport}\n`);
    });
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}

/**
 * A client that goes on with its work, call by call, and how long each took, but for what the machine kept this process
 * from running.
 */
export class HealthyClient {
  readonly latencies: number[] = [];
  readonly failures: unknown[] = [];
  #isOver = false;
  readonly #work: Promise<void>;

  constructor(client: QueueApiClient, pauseMs = 2) {
    this.#work = this.#run(client, pauseMs);
  }

  /** The longest call so far, in milliseconds. */
  get worstMs(): number {
    return Math.max(0, ...this.latencies);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#work;
  }

  async #run(client: QueueApiClient, pauseMs: number): Promise<void> {
    while (!this.#isOver) {
      const watch = new Stopwatch();
      try {
        await ack(client, "none");
      } catch (error) {
        this.failures.push(error);
      }
      this.latencies.push(watch.undisturbedMs);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
