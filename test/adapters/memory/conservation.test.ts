import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MemoryBroker, type MemoryOptions, memoryBroker, memoryDriver } from "../../../adapters/memory/index.js";
import type { DriverConnection, DriverConsumer, WireDelivery, WireSettlement } from "../../../src/driver/index.js";
import type { Priority } from "../../../src/ports/message.js";
import { VirtualClock } from "../../support/virtual-clock.js";
import { DEAD, message, ORDERS, toOrders } from "./node.js";

const FOREVER_MS = 10_000_000;

type Step =
  | { do: "publish"; priority: Priority | undefined; delayMs: number | undefined; expiresInMs: number | undefined }
  | { do: "settle"; pick: number; settlement: WireSettlement }
  | { do: "consume" | "stop" | "reconnect"; pick: number; prefetch: number }
  | { do: "setPrefetch"; pick: number; prefetch: number }
  | { do: "pass"; ms: number }
  | { do: "dropConnections" | "dropConsumers" | "freeze" | "thaw" | "block" | "unblock" };

const ms = fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined });
const settlement: fc.Arbitrary<WireSettlement> = fc.oneof(
  fc.constantFrom<WireSettlement>("ack", "release"),
  fc.integer({ min: 0, max: 200 }).map((retryInMs) => ({ retryInMs, headers: {} })),
  fc.constant({ deadLetter: {} }),
);
const pick = fc.nat({ max: 1_000 });
const prefetch = fc.nat({ max: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("publish" as const),
      priority: fc.constantFrom<(Priority | undefined)[]>(undefined, "bulk", "standard", "expedite"),
      delayMs: ms,
      expiresInMs: ms,
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("settle" as const), pick, settlement }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("consume" as const, "stop" as const, "reconnect" as const),
      pick,
      prefetch,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("setPrefetch" as const), pick, prefetch }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 150 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("dropConnections", "dropConsumers", "freeze", "thaw", "block", "unblock"),
    }) as fc.Arbitrary<Step>,
  },
);

/** Two nodes on one broker, and a ledger of what they were told. */
class World {
  readonly clock = new VirtualClock();
  readonly published: string[] = [];
  readonly confirmed = new Set<string>();
  readonly acked = new Set<string>();
  readonly #broker: MemoryBroker;
  readonly #latency: MemoryOptions["latency"];
  readonly #connections: DriverConnection[] = [];
  readonly #consumers: DriverConsumer[] = [];
  readonly #held: WireDelivery[] = [];
  readonly #pending = new Set<Promise<unknown>>();

  constructor(latency: MemoryOptions["latency"]) {
    this.#latency = latency;
    let state = 1;
    const fraction = (): number => {
      state = (state * 16_807) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    this.#broker = memoryBroker({ clock: this.clock, random: { fraction, uuid: () => `${fraction()}` } });
  }

  async take(next: Step): Promise<void> {
    switch (next.do) {
      case "publish":
        this.#publish(next);
        break;
      case "settle":
        this.#settle(next);
        break;
      case "consume":
        this.#consume(next);
        break;
      case "stop":
        this.#follow(at(this.#consumers, next.pick)?.stop());
        break;
      case "setPrefetch":
        this.#follow(at(this.#consumers, next.pick)?.setPrefetch(next.prefetch));
        break;
      case "reconnect":
        this.#follow(this.#connections.splice(next.pick % 2, 1)[0]?.close());
        this.#connect();
        break;
      case "pass":
        await this.clock.pass(next.ms);
        break;
      case "dropConnections":
        this.#broker.dropConnections();
        break;
      case "dropConsumers":
        this.#broker.dropConsumers("orders");
        break;
      case "freeze":
        this.#broker.freeze();
        break;
      case "thaw":
        this.#broker.thaw();
        break;
      default:
        this.#broker.setBlocked(next.do === "block");
    }
    await this.clock.settle();
  }

  /** Nothing is in two places, and nothing in none. */
  check(): void {
    const [orders, dead] = [this.#broker.count("orders"), this.#broker.count("orders.dead")];
    const held = [orders, dead].reduce(
      (sum, count) => sum + (count === undefined ? 0 : count.ready + count.delayed + count.unsettled),
      0,
    );
    expect(held).toBeGreaterThanOrEqual(this.confirmed.size - this.acked.size);
    expect(held).toBeLessThanOrEqual(this.published.length - this.acked.size);
    if (held === 0) expect([orders?.bytes ?? 0, dead?.bytes ?? 0]).toEqual([0, 0]);
  }

  /** Ends the faults and the nodes, and takes everything that is left, wherever it is. */
  async rest(): Promise<string[]> {
    this.#broker.thaw();
    this.#broker.setBlocked(false);
    await this.clock.pass(1_000);
    this.#broker.dropConnections();
    await Promise.all(this.#pending);
    const rest: string[] = [];
    const connecting = this.#connection();
    await this.clock.pass(1_000);
    const connection = await connecting;
    const take = (delivery: WireDelivery): void => {
      rest.push(delivery.message.messageId);
    };
    const consuming = [ORDERS, DEAD].map((spec) => connection.consume(spec, { prefetch: 10_000 }, take, () => {}));
    await this.clock.pass(FOREVER_MS);
    await Promise.all(consuming);
    await connection.close();
    await this.clock.settle();
    expect(this.clock.pending).toBe(0);
    return rest;
  }

  #publish(next: Step & { do: "publish" }): void {
    const connection = at(this.#connections, this.published.length);
    if (connection === undefined) {
      this.#connect();
      return;
    }
    const id = `m${this.published.length}`;
    this.published.push(id);
    this.#follow(
      connection.publish(toOrders, message(id, next)).then(
        () => this.confirmed.add(id),
        () => undefined,
      ),
    );
  }

  #settle(next: Step & { do: "settle" }): void {
    const index = next.pick % Math.max(1, this.#held.length);
    const delivery = this.#held.splice(index, 1)[0];
    if (delivery === undefined) return;
    const settling = delivery.settle(next.settlement).then((reached) => {
      if (reached && next.settlement === "ack") this.acked.add(delivery.message.messageId);
    });
    this.#follow(settling);
  }

  #consume(next: Step & { prefetch: number; pick: number }): void {
    const connection = at(this.#connections, next.pick);
    if (connection === undefined) return;
    const consuming = connection.consume(
      ORDERS,
      { prefetch: next.prefetch },
      (delivery) => this.#held.push(delivery),
      () => {},
    );
    this.#follow(
      consuming.then(
        (consumer) => this.#consumers.push(consumer),
        () => undefined,
      ),
    );
  }

  #connect(): void {
    this.#follow(this.#connection().then((connection) => this.#connections.push(connection)));
  }

  #connection(): Promise<DriverConnection> {
    const driver = memoryDriver({ broker: this.#broker, latency: this.#latency });
    const signal = new AbortController().signal;
    return driver.connect({ signal, onLost() {}, onBlocked() {}, onReturned() {} });
  }

  #follow(promise: Promise<unknown> | undefined): void {
    if (promise !== undefined) this.#pending.add(promise);
  }
}

function at<T>(items: readonly T[], pick: number): T | undefined {
  return items[pick % Math.max(1, items.length)];
}

describe("conservation in memory", () => {
  it.each([
    ["without latency", undefined, 150],
    ["with latency", { minMs: 0, maxMs: 40 }, 100],
  ])("has every message in exactly one place, %s", async (_, latency, numRuns) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80 }), async (steps) => {
        const world = new World(latency);
        for (const next of steps) {
          await world.take(next);
          world.check();
        }
        const rest = await world.rest();
        expect(new Set(rest).size).toBe(rest.length);
        for (const id of world.published) {
          if (world.acked.has(id)) expect(rest).not.toContain(id);
          else if (world.confirmed.has(id)) expect(rest).toContain(id);
        }
      }),
      { numRuns },
    );
  });
});
