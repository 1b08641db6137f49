import { describe, expect, it } from "vitest";
import { memoryBroker, memoryDriver } from "../../../adapters/memory/index.js";
import { message, openNode, Taker, toOrders, turns, until } from "./node.js";

const UNAVAILABLE = { code: "UNAVAILABLE" };

async function outcome(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "resolved",
    (error: { code: string }) => error.code,
  );
}

describe("a memory broker that starts anew", () => {
  it("cuts every connection, keeps nothing, and takes new ones, also when it was blocked and frozen", async () => {
    const broker = memoryBroker();
    const node = await openNode({ broker });
    await node.publish("ready", "out", "out too");
    await node.connection.publish(toOrders, message("delayed", { delayMs: 20 }));
    await node.connection.publish(toOrders, message("expires", { expiresInMs: 20 }));
    const taker = await node.consume(2);
    await taker.taken(2);
    broker.setBlocked(true);
    broker.freeze();
    const waiting = outcome(node.publish("waiting"));
    broker.restart();
    expect(await waiting).toBe("UNAVAILABLE");
    await until(() => node.lost.length === 1);
    expect(node.lost[0]).toMatchObject(UNAVAILABLE);
    expect(await taker.delivery(0).settle("ack")).toBe(false);
    expect([broker.count("orders"), broker.count("orders.dead")]).toEqual([undefined, undefined]);
    const next = await openNode({ broker });
    const again = await next.consume(10);
    await next.publish("new");
    await until(() => again.ids.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(again.ids).toEqual(["new"]);
    expect(next.blocked).toEqual([]);
    expect(broker.count("orders.dead")).toMatchObject({ ready: 0 });
  });
});

describe("lost connections in memory", () => {
  it("are told once; what is unsettled goes back, what waits is refused, inboxes are gone", async () => {
    const broker = memoryBroker();
    const [node, other] = [await openNode({ broker }), await openNode({ broker })];
    await node.publish("1", "2", "3");
    const taker = await node.consume(2);
    await taker.taken(2);
    const inbox = await node.connection.openInbox(
      () => {},
      () => {},
    );
    const pending = [
      node.publish("4"),
      node.consume(1),
      node.connection.openInbox(
        () => {},
        () => {},
      ),
    ].map(outcome);
    const cause = new Error("the cable");
    broker.dropConnections(cause);
    expect(await Promise.all(pending)).toEqual(["UNAVAILABLE", "UNAVAILABLE", "UNAVAILABLE"]);
    expect(await taker.delivery(0).settle("ack")).toBe(false);
    await until(() => node.lost.length === 1 && other.lost.length === 1);
    expect(node.lost).toEqual([cause]);
    expect(taker.lost).toEqual([]);
    await expect(node.publish("5")).rejects.toMatchObject(UNAVAILABLE);
    await taker.consumer.stop();
    await taker.consumer.setPrefetch(5);
    await inbox.stop();
    await node.connection.close();
    broker.dropConnections();
    await turns();
    expect(node.lost).toHaveLength(1);

    const next = await openNode({ broker });
    const again = await next.consume(10);
    // The fourth had been stored already: its publisher can only know that it may have been.
    expect(await again.taken(4)).toEqual(["1", "2", "3", "4"]);
    expect(again.deliveries.map(({ deliveries }) => deliveries)).toEqual([2, 2, 1, 1]);
    await next.connection.publish({ kind: "inbox", address: inbox.address }, message("reply"));
    await until(() => next.returned.length === 1);
  });

  it("are not told after a close", async () => {
    const broker = memoryBroker();
    const node = await openNode({ broker });
    broker.dropConnections();
    await node.connection.close();
    await turns();
    expect(node.lost).toEqual([]);
  });

  it("count each loss, and nothing else", async () => {
    const broker = memoryBroker();
    await (await openNode({ broker })).publish("1");
    for (let losses = 0; losses < 3; losses += 1) {
      const taker = await (await openNode({ broker })).consume(1);
      await taker.taken(1);
      expect(taker.delivery(0).deliveries).toBe(losses + 1);
      await taker.delivery(0).settle("release");
      await taker.taken(2);
      expect(taker.delivery(1).deliveries).toBe(losses + 1);
      broker.dropConnections();
    }
  });
});

describe("lost consumers in memory", () => {
  it("are lost alone, with what they hold", async () => {
    const broker = memoryBroker();
    const node = await openNode({ broker });
    await node.publish("1", "2");
    const taker = await node.consume(1);
    const stopped = await node.consume(1);
    await Promise.all([taker.taken(1), stopped.taken(1)]);
    await stopped.consumer.stop();
    broker.dropConsumers("orders");
    expect(await taker.delivery(0).settle("ack")).toBe(false);
    expect(await stopped.delivery(0).settle("ack")).toBe(false);
    await until(() => taker.lost.length === 1);
    expect(taker.lost).toMatchObject([UNAVAILABLE]);
    expect(stopped.lost).toEqual([]);
    expect(node.lost).toEqual([]);
    const next = await node.consume(10);
    expect(await next.taken(2)).toEqual(["1", "2"]);
    expect(next.delivery(1).deliveries).toBe(2);
    await taker.consumer.stop();
  });

  it("are not told after stop", async () => {
    const broker = memoryBroker();
    const node = await openNode({ broker });
    const taker = await node.consume(1);
    broker.dropConsumers("orders");
    await taker.consumer.stop();
    await turns();
    expect(taker.lost).toEqual([]);
  });
});

describe("a deleted queue in memory", () => {
  it("is gone with its messages and consumers, and made anew by the next publish", async () => {
    const broker = memoryBroker();
    const node = await openNode({ broker });
    const taker = await node.consume(1);
    await node.publish("1", "2");
    await node.connection.publish(toOrders, message("3", { delayMs: 60_000 }));
    await taker.taken(1);
    broker.deleteQueue("orders");
    expect(broker.count("orders")).toBeUndefined();
    expect(await taker.delivery(0).settle("release")).toBe(false);
    await until(() => taker.lost.length === 1);
    await node.publish("4");
    expect(await (await node.consume(10)).taken(1)).toEqual(["4"]);
    broker.deleteQueue("unknown");
  });

  it("has dead letters again when they are needed", async () => {
    const broker = memoryBroker();
    const node = await openNode({ broker });
    await node.publish("1");
    const taker = await node.consume(1);
    await taker.taken(1);
    broker.deleteQueue("orders.dead");
    await taker.delivery(0).settle({ deadLetter: {} });
    expect(broker.count("orders.dead")).toMatchObject({ ready: 1 });
  });
});

describe("a blocked broker in memory", () => {
  it("lets publishes wait, settlements through, and tells every connection", async () => {
    const broker = memoryBroker();
    const node = await openNode({ broker });
    await node.publish("1");
    const taker = await node.consume(10);
    await taker.taken(1);
    broker.setBlocked(true);
    broker.setBlocked(true);
    const late = await openNode({ broker });
    let published = false;
    const publishing = node.publish("2", "3").then(() => {
      published = true;
    });
    await turns();
    expect([published, node.blocked, late.blocked]).toEqual([false, [true], [true]]);
    expect(await taker.delivery(0).settle("ack")).toBe(true);
    broker.setBlocked(false);
    const afterwards = node.publish("4");
    await publishing;
    await afterwards;
    expect(await taker.taken(4)).toEqual(["1", "2", "3", "4"]);
    expect([node.blocked, late.blocked]).toEqual([
      [true, false],
      [true, false],
    ]);
  });

  it("refuses what waits when the connection closes", async () => {
    const broker = memoryBroker();
    const node = await openNode({ broker });
    broker.setBlocked(true);
    const publishing = outcome(node.publish("1"));
    await node.connection.close();
    expect(await publishing).toBe("UNAVAILABLE");
  });
});

describe("a frozen broker in memory", () => {
  it("moves nothing until it thaws, then everything in order", async () => {
    const broker = memoryBroker();
    const node = await openNode({ broker });
    await node.publish("1", "2");
    const taker = await node.consume(1);
    await taker.taken(1);
    broker.freeze();
    const done: string[] = [];
    const note = (what: string) => () => done.push(what);
    const waiting = [
      node.publish("3", "4").then(note("publish")),
      taker.delivery(0).settle("ack").then(note("settle")),
      Taker.start(node.connection, 1, { name: "other", deadLetterQueue: undefined, lanes: false }).then(
        note("consume"),
      ),
      taker.consumer.setPrefetch(10).then(note("setPrefetch")),
      openNode({ broker }).then(note("connect")),
    ];
    broker.setBlocked(true);
    broker.setBlocked(false);
    await turns();
    expect(done).toEqual([]);
    expect(taker.ids).toEqual(["1"]);
    expect([node.lost, node.blocked]).toEqual([[], []]);
    broker.thaw();
    await Promise.all(waiting);
    expect(await taker.taken(4)).toEqual(["1", "2", "3", "4"]);
    expect(node.blocked).toEqual([true, false]);
  });

  it("lets a connect hang until its signal", async () => {
    const broker = memoryBroker();
    broker.freeze();
    const abort = new AbortController();
    const options = { onLost() {}, onBlocked() {}, onReturned() {} };
    const connecting = outcome(memoryDriver({ broker }).connect({ signal: abort.signal, ...options }));
    await turns();
    abort.abort();
    expect(await connecting).toBe("ABORTED");
    expect(await outcome(memoryDriver({ broker }).connect({ signal: abort.signal, ...options }))).toBe("ABORTED");
    broker.thaw();
    await turns();
    broker.dropConnections();
  });

  it("lets a connection be lost or closed, and refuses what had not got through", async () => {
    const broker = memoryBroker();
    const [lost, closed] = [await openNode({ broker }), await openNode({ broker })];
    await lost.publish("1");
    const taker = await lost.consume(1);
    await taker.taken(1);
    broker.freeze();
    const settling = taker.delivery(0).settle("ack");
    const publishing = [outcome(lost.publish("2")), outcome(closed.publish("3"))];
    await closed.connection.close();
    broker.dropConnections();
    expect(await Promise.all(publishing)).toEqual(["UNAVAILABLE", "UNAVAILABLE"]);
    expect(await settling).toBe(false);
    await until(() => lost.lost.length === 1);
    broker.thaw();
    expect(await (await (await openNode({ broker })).consume(10)).taken(1)).toEqual(["1"]);
  });
});

describe("a broker in memory that refuses connections", () => {
  it("says so, until it takes them again", async () => {
    const broker = memoryBroker();
    const node = await openNode({ broker });
    broker.refuseConnections(true);
    await expect(openNode({ broker })).rejects.toMatchObject(UNAVAILABLE);
    await node.publish("1");
    broker.refuseConnections(false);
    await openNode({ broker });
  });
});
