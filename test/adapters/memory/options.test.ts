import { Container } from "inversify";
import { describe, expect, it } from "vitest";
import {
  type MemoryBrokerOptions,
  type MemoryOptions,
  memoryBroker,
  memoryDriver,
  memoryModule,
  resolveMemoryOptions,
} from "../../../adapters/memory/index.js";
import { TOKENS } from "../../../src/container/tokens.js";
import { DEAD, message, ORDERS, openNode, toOrders, turns, until } from "./node.js";

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

describe("the options of the memory adapter", () => {
  it("have documented defaults and are frozen", () => {
    const resolved = resolveMemoryOptions();
    expect(Object.isFrozen(resolved)).toBe(true);
    expect(resolved.latency).toBeUndefined();
    expect(resolved.countDeliveries).toBe(true);
    expect(resolved.capabilities).toEqual({
      queue: {
        persistent: false,
        deadLetter: true,
        delayedDelivery: true,
        expiry: true,
        priority: true,
        deduplication: false,
        ordering: "until-requeue",
      },
      broadcast: { loopback: true },
      inspection: "ready",
      maxMessageBytes: 64 * 1024 * 1024,
    });
  });

  it("are refused with all their faults at once", () => {
    const options = {
      broker: {},
      latency: { minMs: 5, maxMs: 1, meanMs: 3 },
      capabilities: { queue: { persistent: true, expiry: "no", lanes: false }, inspection: "all" },
      countDeliveries: 1,
      maxMessageBytes: 1e9,
      maxQueueBytes: 0,
      clock: {},
      schedule: 5,
      lattency: 1,
    } as unknown as MemoryOptions;
    const error = thrownBy(() => memoryDriver(options));
    expect(error).toMatchObject({ code: "INVALID_ARGUMENT" });
    const text = String(error);
    for (const part of [
      'options has no key "lattency"',
      "broker must be made by memoryBroker()",
      "maxQueueBytes belongs to the shared broker",
      "maxQueueBytes must be a whole number from 1",
      "clock must have the methods now and setTimer",
      "schedule must be a function",
      "capabilities.queue.persistent cannot be true",
      "capabilities.queue.expiry must be true or false",
      'capabilities.queue has no key "lanes"',
      "capabilities.inspection must be none or ready",
      "countDeliveries must be true or false",
      "maxMessageBytes must be a whole number from 1 to 67108864",
      'latency has no key "meanMs"',
      "latency.minMs must not be over latency.maxMs",
    ]) {
      expect(text).toContain(part);
    }
    expect(thrownBy(() => memoryModule(options))).toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(thrownBy(() => memoryBroker({ maxQueues: 1 } as MemoryBrokerOptions))).toMatchObject({
      message: expect.stringContaining('no key "maxQueues"'),
    });
    expect(thrownBy(() => memoryBroker(7 as MemoryBrokerOptions))).toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(thrownBy(() => memoryDriver({ latency: { minMs: -1, maxMs: Number.NaN } }))).toMatchObject({
      message: expect.stringContaining("latency.minMs"),
    });
  });

  it("bind one driver as a module", async () => {
    const container = new Container();
    await container.loadAsync(memoryModule({ maxMessageBytes: 10 }));
    const driver = container.get(TOKENS.Driver);
    expect(container.get(TOKENS.Driver)).toBe(driver);
    expect(driver.name).toBe("memory");
    expect(driver.capabilities.maxMessageBytes).toBe(10);
  });
});

describe("errors of the memory adapter", () => {
  it("are MessagingErrors, and others become UNKNOWN with their cause", () => {
    const driver = memoryDriver();
    const own = thrownBy(() => memoryBroker({ maxQueueBytes: 0 }));
    expect(driver.toMessagingError(own)).toBe(own);
    const foreign = new TypeError("odd");
    expect(driver.toMessagingError(foreign)).toMatchObject({ code: "UNKNOWN", cause: foreign });
    for (const odd of ["text", 7, undefined, null, {}, Object.create(null), Symbol("odd")]) {
      expect(driver.toMessagingError(odd)).toMatchObject({ code: "UNKNOWN" });
    }
    expect(driver.toMessagingError("text")).toMatchObject({ cause: "text" });
  });
});

describe("the bounds of the memory adapter", () => {
  it("refuse a body that is too large", async () => {
    const node = await openNode({ maxMessageBytes: 10 });
    const body = (bytes: number) => message("1", { body: new Uint8Array(bytes) });
    await node.connection.publish(toOrders, body(10));
    await expect(node.connection.publish(toOrders, body(11))).rejects.toMatchObject({ code: "TOO_LARGE" });
  });

  it("refuse what a queue cannot hold, naming the option, until there is room", async () => {
    const byCount = await openNode({ maxQueueMessages: 3 });
    await byCount.publish("1", "2");
    await byCount.connection.publish(toOrders, message("3", { delayMs: 60_000 }));
    await expect(byCount.publish("4")).rejects.toMatchObject({
      code: "REJECTED",
      message: expect.stringContaining("maxQueueMessages is 3"),
    });
    const taker = await byCount.consume(1);
    await taker.taken(1);
    await expect(byCount.publish("4")).rejects.toMatchObject({ code: "REJECTED" });
    await taker.delivery(0).settle("ack");
    await byCount.publish("4");

    const byBytes = await openNode({ maxQueueBytes: 10 });
    expect(resolveMemoryOptions({ maxQueueBytes: 10 }).capabilities.maxMessageBytes).toBe(10);
    await byBytes.connection.publish(toOrders, message("1234", { headers: { ab: "cd" } }));
    await expect(byBytes.publish("123")).rejects.toMatchObject({
      code: "REJECTED",
      message: expect.stringContaining("maxQueueBytes is 10"),
    });
    await byBytes.publish("12");
  });

  it("never drop a retry, a release or a dead letter", async () => {
    const broker = memoryBroker({ maxQueueMessages: 2, maxQueueBytes: 4 });
    const node = await openNode({ broker });
    const dead = { kind: "queue", queue: DEAD } as const;
    await Promise.all([node.connection.publish(dead, message("d1")), node.connection.publish(dead, message("d2"))]);
    await node.publish("1", "2");
    const taker = await node.consume(2);
    await taker.taken(2);
    await taker.consumer.setPrefetch(0);
    await taker.delivery(0).settle({ retryInMs: 0, headers: { long: "header" } });
    await taker.delivery(1).settle({ deadLetter: { long: "header" } });
    expect(broker.count("orders")).toMatchObject({ ready: 1, bytes: 11 });
    expect(broker.count("orders.dead")).toMatchObject({ ready: 3 });
  });
});

describe("a mask over the memory adapter", () => {
  const off = { deadLetter: false, delayedDelivery: false, expiry: false, priority: false };
  const masked: MemoryOptions = {
    capabilities: { queue: off, broadcast: { loopback: false } },
    countDeliveries: false,
  };

  it("is what the driver says", () => {
    expect(memoryDriver(masked).capabilities).toMatchObject({ queue: off, broadcast: { loopback: false } });
  });

  it("makes no dead-letter queue, and passes over delay, expiry and priority", async () => {
    const broker = memoryBroker();
    const node = await openNode({ broker, ...masked });
    await node.publish("1");
    await node.connection.publish(toOrders, message("2", { delayMs: 60_000 }));
    await node.connection.publish(toOrders, message("3", { priority: "expedite", expiresInMs: 0.001 }));
    await turns();
    expect(broker.count("orders.dead")).toBeUndefined();
    const taker = await node.consume(3);
    expect(await taker.taken(3)).toEqual(["1", "2", "3"]);
    await taker.delivery(0).settle({ retryInMs: 60_000, headers: {} });
    await taker.delivery(1).settle({ deadLetter: {} });
    expect(await taker.taken(4)).toEqual(["1", "2", "3", "1"]);
    expect(broker.count("orders")).toMatchObject({ ready: 0, delayed: 0, unsettled: 2 });
  });

  it("does not count deliveries, but says what comes again", async () => {
    const broker = memoryBroker();
    const node = await openNode({ broker, ...masked });
    await node.publish("1");
    const taker = await node.consume(1);
    await taker.taken(1);
    expect(taker.delivery(0)).toMatchObject({ deliveries: undefined, redelivered: false });
    broker.dropConsumers("orders");
    const next = await node.consume(1);
    await next.taken(1);
    expect(next.delivery(0)).toMatchObject({ deliveries: undefined, redelivered: true });
    await next.delivery(0).settle({ retryInMs: 0, headers: {} });
    await next.taken(2);
    expect(next.delivery(1)).toMatchObject({ deliveries: undefined, redelivered: false });
  });

  it("lets a node not hear itself", async () => {
    const broker = memoryBroker();
    const [node, other] = [await openNode({ broker, ...masked }), await openNode({ broker })];
    const seen: string[] = [];
    await node.connection.subscribe(
      "news",
      "a",
      () => seen.push("a"),
      () => {},
    );
    await other.connection.subscribe(
      "news",
      "b",
      () => seen.push("b"),
      () => {},
    );
    await node.connection.publish({ kind: "broadcast", name: "news" }, message("1"));
    await until(() => seen.length === 1);
    await other.connection.publish({ kind: "broadcast", name: "news" }, message("2"));
    await until(() => seen.length === 3);
    expect(seen.sort()).toEqual(["a", "b", "b"]);
  });

  it("is for its node alone", async () => {
    const broker = memoryBroker();
    const [lesser, full] = [await openNode({ broker, ...masked }), await openNode({ broker })];
    await lesser.publish("1");
    expect(broker.count("orders.dead")).toBeUndefined();
    const taker = await full.consume(1, ORDERS);
    await taker.taken(1);
    await taker.delivery(0).settle({ deadLetter: {} });
    expect(broker.count("orders.dead")).toMatchObject({ ready: 1 });
  });
});
