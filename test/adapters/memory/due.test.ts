import { afterEach, describe, expect, it, vi } from "vitest";
import { memoryBroker } from "../../../adapters/memory/index.js";
import {
  DEAD_AT_HEADER,
  DEAD_ATTEMPTS_HEADER,
  DEAD_QUEUE_HEADER,
  DEAD_REASON_HEADER,
  FAILURES_HEADER,
} from "../../../src/driver/index.js";
import { machineClock } from "../../../src/util/machine-clock.js";
import { VirtualClock } from "../../support/virtual-clock.js";
import { DEAD, message, ORDERS, openNode, toOrders, turns } from "./node.js";

const DAY_MS = 86_400_000;

async function withClock() {
  const clock = new VirtualClock();
  const broker = memoryBroker({ clock });
  const node = await openNode({ broker });
  const publish = (id: string, more: Parameters<typeof message>[1]) =>
    node.connection.publish(toOrders, message(id, more));
  return { clock, broker, node, publish };
}

describe("delays in memory", () => {
  it("hands out in the order of the due times, and by the order of the publishes when they are equal", async () => {
    const { clock, node, publish } = await withClock();
    const taker = await node.consume(100);
    await publish("30", { delayMs: 30 });
    await publish("10", { delayMs: 10 });
    await publish("20", { delayMs: 20 });
    await publish("10 too", { delayMs: 10 });
    await publish("0", {});
    await clock.pass(9);
    expect(taker.ids).toEqual(["0"]);
    await clock.pass(11);
    expect(taker.ids).toEqual(["0", "10", "10 too", "20"]);
    await clock.pass(10);
    expect(taker.ids).toEqual(["0", "10", "10 too", "20", "30"]);
    expect(clock.pending).toBe(0);
  });

  it("uses one timer, however many wait", async () => {
    const { clock, broker, publish } = await withClock();
    for (let index = 500; index > 0; index -= 1) await publish(`${index}`, { delayMs: index, expiresInMs: 5_000 });
    expect(clock.pending).toBe(1);
    expect(broker.count("orders")).toMatchObject({ ready: 0, delayed: 500 });
    await clock.pass(250);
    expect(broker.count("orders")).toMatchObject({ ready: 250, delayed: 250 });
    expect(clock.pending).toBe(1);
  });

  it("retries not before the time, and behind what is ready then", async () => {
    const { clock, node, publish } = await withClock();
    const taker = await node.consume(1);
    await publish("1", {});
    await taker.taken(1);
    await taker.delivery(0).settle({ retryInMs: 1_000, headers: {} });
    await clock.pass(999);
    expect(taker.ids).toEqual(["1"]);
    await publish("2", {});
    await publish("3", {});
    await clock.pass(1);
    await taker.delivery(1).settle("ack");
    await clock.pass(0);
    await taker.delivery(2).settle("ack");
    await clock.pass(0);
    expect(taker.ids).toEqual(["1", "2", "3", "1"]);
  });

  it("waits longer than Node's timers can", async () => {
    const { clock, node, publish } = await withClock();
    const taker = await node.consume(1);
    await publish("1", { delayMs: 100 * DAY_MS });
    await clock.pass(100 * DAY_MS - 1);
    expect(taker.ids).toEqual([]);
    await clock.pass(1);
    expect(taker.ids).toEqual(["1"]);
  });

  it("has no timer while nobody is connected, and makes up for it on the next connect", async () => {
    const { clock, broker, node, publish } = await withClock();
    await publish("late", { delayMs: 20 });
    await publish("expired", { expiresInMs: 10 });
    expect(clock.pending).toBe(1);
    await node.connection.close();
    expect(clock.pending).toBe(0);
    await clock.pass(50);
    expect(broker.count("orders")).toMatchObject({ ready: 1, delayed: 1 });
    const next = await openNode({ broker });
    await clock.pass(0);
    expect(broker.count("orders")).toMatchObject({ ready: 1, delayed: 0 });
    expect(await (await next.consume(10)).taken(1)).toEqual(["late"]);
    expect(await (await next.consume(10, DEAD)).taken(1)).toEqual(["expired"]);
  });
});

describe("expiry in memory", () => {
  it("dead-letters what nobody takes in time, with why, where, when and how often", async () => {
    const { clock, broker, node, publish } = await withClock();
    const publishedAt = clock.now();
    await publish("1", { expiresInMs: 100, headers: { own: "kept" } });
    await publish("2", {});
    await clock.pass(99);
    expect(broker.count("orders.dead")).toMatchObject({ ready: 0 });
    await clock.pass(1);
    expect(broker.count("orders")).toMatchObject({ ready: 1, bytes: 1 });
    const dead = await node.consume(10, DEAD);
    await dead.taken(1);
    expect(dead.delivery(0).message).toMatchObject({ messageId: "1", timestamp: 0 });
    expect(dead.delivery(0).message).not.toHaveProperty("expiresInMs");
    expect(dead.delivery(0).message.headers).toEqual({
      own: "kept",
      [DEAD_REASON_HEADER]: "expired",
      [DEAD_QUEUE_HEADER]: "orders",
      [DEAD_AT_HEADER]: new Date(publishedAt + 100).toISOString(),
      [DEAD_ATTEMPTS_HEADER]: "0",
    });
    expect(await (await node.consume(10)).taken(1)).toEqual(["2"]);
  });

  it("expires behind what does not, and while it is delayed", async () => {
    const { clock, broker, node, publish } = await withClock();
    await publish("first", {});
    await publish("behind", { expiresInMs: 10 });
    await publish("delayed", { delayMs: 50, expiresInMs: 20 });
    await publish("in time", { delayMs: 10, expiresInMs: 100 });
    await clock.pass(20);
    expect(broker.count("orders")).toMatchObject({ ready: 2, delayed: 0 });
    expect(await (await node.consume(10, DEAD)).taken(2)).toEqual(["behind", "delayed"]);
    expect(await (await node.consume(10)).taken(2)).toEqual(["first", "in time"]);
  });

  it("counts from the publish: neither a release nor a retry extends it, and what is out does not expire", async () => {
    const { clock, broker, node, publish } = await withClock();
    const taker = await node.consume(10);
    await publish("held", { expiresInMs: 100 });
    await publish("released", { expiresInMs: 100 });
    await publish("retried", { expiresInMs: 100, headers: { [FAILURES_HEADER]: "2" } });
    await taker.taken(3);
    await clock.pass(60);
    const headers = { [FAILURES_HEADER]: "3" };
    await taker.delivery(2).settle({ retryInMs: 60, headers });
    expect(await taker.delivery(1).settle("release")).toBe(true);
    await clock.pass(0);
    expect(taker.ids).toEqual(["held", "released", "retried", "released"]);
    await clock.pass(50);
    await taker.consumer.setPrefetch(0);
    await taker.delivery(3).settle("release");
    await clock.pass(0);
    const dead = await node.consume(10, DEAD);
    expect(await dead.taken(2)).toEqual(["retried", "released"]);
    expect(dead.delivery(0).message.headers).toMatchObject({ [DEAD_ATTEMPTS_HEADER]: "3" });
    expect(dead.delivery(0).message.headers).not.toHaveProperty(FAILURES_HEADER);
    expect(await taker.delivery(0).settle("ack")).toBe(true);
    expect(broker.count("orders")).toEqual({ ready: 0, delayed: 0, unsettled: 0, bytes: 0 });
    expect(clock.pending).toBe(0);
  });

  it("drops what expires where there is no queue for it", async () => {
    const { clock, broker, node } = await withClock();
    const spec = { name: "loose", deadLetterQueue: undefined, lanes: false };
    await node.connection.publish({ kind: "queue", queue: spec }, message("1", { expiresInMs: 5 }));
    await clock.pass(5);
    expect(broker.count("loose")).toEqual({ ready: 0, delayed: 0, unsettled: 0, bytes: 0 });
  });

  it("keeps nothing of what was taken before it expired", async () => {
    const { clock, broker, node, publish } = await withClock();
    const taker = await node.consume(1_000);
    for (let index = 0; index < 1_000; index += 1) await publish(`${index}`, { expiresInMs: DAY_MS });
    await taker.taken(1_000);
    expect(clock.pending).toBe(0);
    await Promise.all(taker.deliveries.map((delivery) => delivery.settle("ack")));
    await clock.pass(DAY_MS);
    expect(broker.count("orders.dead")).toMatchObject({ ready: 0 });
  });

  it("keeps the order over many that expire in between", async () => {
    const { clock, node, publish } = await withClock();
    for (let index = 0; index < 1_000; index += 1) {
      await publish(`${index}`, index % 10 === 0 ? {} : { expiresInMs: 10 });
    }
    await clock.pass(10);
    const taker = await node.consume(1_000);
    expect(await taker.taken(100)).toEqual(Array.from({ length: 100 }, (_, index) => `${index * 10}`));
  });
});

describe("the machine's clock", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("keeps to times beyond what one timer can hold", () => {
    vi.useFakeTimers();
    const fired: number[] = [];
    const began = machineClock.now();
    machineClock.setTimer(60 * DAY_MS, () => fired.push(machineClock.now() - began));
    const cancel = machineClock.setTimer(40 * DAY_MS, () => fired.push(-1));
    vi.advanceTimersByTime(30 * DAY_MS);
    cancel();
    vi.advanceTimersByTime(30 * DAY_MS - 1);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual([60 * DAY_MS]);
  });

  it("delays and expires in real time", async () => {
    const broker = memoryBroker();
    const node = await openNode({ broker });
    const began = performance.now();
    await node.connection.publish(toOrders, message("1", { delayMs: 20 }));
    await node.connection.publish(toOrders, message("2", { expiresInMs: 10 }));
    const dead = await node.consume(1, DEAD);
    expect(await dead.taken(1)).toEqual(["2"]);
    const taker = await node.consume(1, ORDERS);
    expect(await taker.taken(1)).toEqual(["1"]);
    expect(performance.now() - began).toBeGreaterThanOrEqual(19);
    await turns();
  });
});
