import { describe, expect, it } from "vitest";
import { memoryBroker } from "../../../adapters/memory/index.js";
import type { WireSettlement } from "../../../src/driver/index.js";
import { DEAD, message, ORDERS, openNode, Taker, toOrders, turns } from "./node.js";

describe("a queue in memory", () => {
  it("calls nobody back before the call has returned", async () => {
    const node = await openNode();
    const taker = await node.consume(10);
    const published = node.publish("a");
    expect(taker.ids).toEqual([]);
    let confirmed = false;
    void published.then(() => {
      confirmed = true;
    });
    expect(confirmed).toBe(false);
    expect(await taker.taken(1)).toEqual(["a"]);
    await published;
    const settled = taker.delivery(0).settle("release");
    expect(taker.ids).toEqual(["a"]);
    await settled;
    expect(await taker.taken(2)).toEqual(["a", "a"]);
  });

  it("hands out in the order of the publishes, over the growth of its rings", async () => {
    const node = await openNode();
    const ids = Array.from({ length: 5_000 }, (_, index) => `${index}`);
    await node.publish(...ids);
    const taker = await node.consume(ids.length);
    expect(await taker.taken(ids.length)).toEqual(ids);
  });

  it("lets consumers take turns, each within its prefetch", async () => {
    const broker = memoryBroker();
    const nodes = [await openNode({ broker }), await openNode({ broker })] as const;
    const one = await nodes[0].consume(2);
    const other = await nodes[1].consume(3);
    await nodes[0].publish("1", "2", "3", "4", "5", "6", "7");
    expect(await one.taken(2)).toEqual(["1", "3"]);
    expect(await other.taken(3)).toEqual(["2", "4", "5"]);
    await one.delivery(0).settle("ack");
    expect(await one.taken(3)).toEqual(["1", "3", "6"]);
    expect(broker.count("orders")).toMatchObject({ ready: 1, unsettled: 5 });
  });

  it("gives the more urgent first", async () => {
    const node = await openNode();
    const publish = (id: string, priority?: "bulk" | "expedite") =>
      node.connection.publish(toOrders, message(id, { priority }));
    await Promise.all([
      publish("b1", "bulk"),
      publish("s1"),
      publish("e1", "expedite"),
      publish("s2"),
      publish("b2", "bulk"),
    ]);
    const taker = await node.consume(10);
    expect(await taker.taken(5)).toEqual(["e1", "s1", "s2", "b1", "b2"]);
  });

  it("puts what is released back to its old place, without counting it", async () => {
    const node = await openNode();
    await node.publish("1", "2", "3", "4");
    const taker = await node.consume(3);
    await taker.taken(3);
    await taker.consumer.setPrefetch(0);
    for (const index of [1, 2, 0]) await taker.delivery(index).settle("release");
    const next = await node.consume(10);
    expect(await next.taken(4)).toEqual(["1", "2", "3", "4"]);
    expect(next.deliveries.map(({ deliveries }) => deliveries)).toEqual([1, 1, 1, 1]);
    expect(next.deliveries.map(({ redelivered }) => redelivered)).toEqual([true, true, true, false]);
  });

  it("retries as a new message with the new headers", async () => {
    const node = await openNode();
    await node.connection.publish(toOrders, message("1", { headers: { a: "1" }, correlationId: "c" }));
    await node.publish("2");
    const taker = await node.consume(1);
    await taker.taken(1);
    expect(await taker.delivery(0).settle({ retryInMs: 0, headers: { b: "2" } })).toBe(true);
    await taker.taken(2);
    await taker.delivery(1).settle("ack");
    expect(await taker.taken(3)).toEqual(["1", "2", "1"]);
    expect(taker.delivery(2)).toMatchObject({
      message: { headers: { b: "2" }, correlationId: "c" },
      deliveries: 1,
      redelivered: false,
    });
  });

  it("keeps dead letters with the headers that they are given", async () => {
    const node = await openNode();
    await node.connection.publish(toOrders, message("1", { headers: { a: "1" }, priority: "bulk" }));
    const taker = await node.consume(1);
    await taker.taken(1);
    await taker.delivery(0).settle({ deadLetter: { why: "because" } });
    const dead = await node.consume(1, DEAD);
    await dead.taken(1);
    expect(dead.delivery(0).message).toMatchObject({ messageId: "1", headers: { why: "because" }, priority: "bulk" });
  });

  it("makes the dead-letter queue with its queue, and knows one name for it", async () => {
    const broker = memoryBroker();
    const node = await openNode({ broker });
    expect(broker.count("orders.dead")).toBeUndefined();
    await node.publish("1");
    expect(broker.count("orders.dead")).toEqual({ ready: 0, delayed: 0, unsettled: 0, bytes: 0 });
    const other = { name: "orders", deadLetterQueue: "elsewhere", lanes: false };
    await expect(node.connection.publish({ kind: "queue", queue: other }, message("2"))).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
    });
    await expect(node.consume(1, other)).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
  });

  it("settles once", async () => {
    const broker = memoryBroker();
    const node = await openNode({ broker });
    await node.publish("1");
    const taker = await node.consume(1);
    await taker.taken(1);
    const settlements: WireSettlement[] = ["ack", "ack", "release", { deadLetter: {} }];
    const reached = await Promise.all(settlements.map((settlement) => taker.delivery(0).settle(settlement)));
    expect(reached).toEqual([true, false, false, false]);
    expect(broker.count("orders")).toEqual({ ready: 0, delayed: 0, unsettled: 0, bytes: 0 });
    expect(broker.count("orders.dead")).toMatchObject({ ready: 0 });
  });

  it("delivers nothing after stop, and takes settlements of what is out", async () => {
    const broker = memoryBroker();
    const node = await openNode({ broker });
    await node.publish("1", "2");
    const taker = await node.consume(1);
    await taker.taken(1);
    await taker.consumer.stop();
    expect(await taker.delivery(0).settle("ack")).toBe(true);
    await turns();
    expect(taker.ids).toEqual(["1"]);
    expect(broker.count("orders")).toMatchObject({ ready: 1, unsettled: 0 });
    await taker.consumer.stop();
  });

  it("holds at most the new prefetch, 0 included", async () => {
    const node = await openNode();
    await node.publish("1", "2", "3", "4");
    const taker = await node.consume(2);
    await taker.taken(2);
    await taker.consumer.setPrefetch(0);
    await taker.delivery(0).settle("ack");
    await taker.delivery(1).settle("ack");
    await turns();
    expect(taker.ids).toEqual(["1", "2"]);
    await taker.consumer.setPrefetch(1);
    expect(await taker.taken(3)).toEqual(["1", "2", "3"]);
  });

  it("takes back on close what is unsettled, in order, as lost", async () => {
    const broker = memoryBroker();
    const [one, two, other] = [await openNode({ broker }), await openNode({ broker }), await openNode({ broker })];
    await other.publish("1", "2", "3", "4", "5");
    const takers = [await one.consume(2), await two.consume(2)] as const;
    await Promise.all(takers.map((taker) => taker.taken(2)));
    await takers[0].consumer.stop();
    await one.connection.close();
    await two.connection.close();
    expect(await takers[0].delivery(0).settle("ack")).toBe(false);
    const next = await other.consume(10);
    expect(await next.taken(5)).toEqual(["1", "2", "3", "4", "5"]);
    expect(next.deliveries.map(({ deliveries }) => deliveries)).toEqual([2, 2, 2, 2, 1]);
    expect(next.deliveries.map(({ redelivered }) => redelivered)).toEqual([true, true, true, true, false]);
  });

  it("takes publishes and settlements that were handed over before the close", async () => {
    const broker = memoryBroker();
    const node = await openNode({ broker });
    await node.publish("1");
    const taker = await node.consume(1);
    await taker.taken(1);
    const settled = taker.delivery(0).settle("ack");
    const published = node.publish("2");
    await node.connection.close();
    await expect(published).resolves.toBeUndefined();
    await expect(settled).resolves.toBe(true);
    expect(broker.count("orders")).toMatchObject({ ready: 1, unsettled: 0 });
    await expect(node.publish("3")).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(node.consume(1)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await taker.consumer.stop();
    await node.connection.close();
    expect(node.lost).toEqual([]);
  });

  it("forgets consumers that stop without a message", async () => {
    const node = await openNode();
    const first = await node.consume(1);
    for (let round = 0; round < 100; round += 1) await (await node.consume(1)).consumer.stop();
    await node.publish("1", "2");
    expect(await first.taken(1)).toEqual(["1"]);
  });

  it("serves timers while publishers and consumers keep each other busy", async () => {
    const node = await openNode();
    let busy = true;
    let handled = 0;
    await node.connection.consume(
      ORDERS,
      { prefetch: 1 },
      (delivery) => {
        handled += 1;
        if (busy) void delivery.settle({ retryInMs: 0, headers: {} });
      },
      () => {},
    );
    await node.publish("1");
    await new Promise((resolve) => setTimeout(resolve, 20));
    busy = false;
    expect(handled).toBeGreaterThan(10);
  });

  it("goes on after a callback that throws", async () => {
    const node = await openNode();
    const seen: string[] = [];
    const thrown = new Promise((resolve) => process.setUncaughtExceptionCaptureCallback(resolve));
    try {
      await node.connection.consume(
        ORDERS,
        { prefetch: 10 },
        ({ message: { messageId } }) => {
          seen.push(messageId);
          if (messageId === "1") throw new Error("a callback's fault");
        },
        () => {},
      );
      await node.publish("1", "2", "3");
      await expect(thrown).resolves.toMatchObject({ message: "a callback's fault" });
      await turns();
      expect(seen).toEqual(["1", "2", "3"]);
    } finally {
      process.setUncaughtExceptionCaptureCallback(null);
    }
  });

  it("takes a consumer for every queue that is asked for", async () => {
    const node = await openNode();
    const takers = await Promise.all([1, 2, 3].map(() => Taker.start(node.connection, 1, ORDERS)));
    await node.publish("1", "2", "3");
    await Promise.all(takers.map((taker) => taker.taken(1)));
    expect(takers.map(({ ids }) => ids)).toEqual([["1"], ["2"], ["3"]]);
  });
});
