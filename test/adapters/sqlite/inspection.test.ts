import { describe, expect, it, onTestFinished } from "vitest";
import { sqliteDriver } from "../../../adapters/sqlite/index.js";
import { headerExpression } from "../../../adapters/sqlite/schema.js";
import { createMessaging } from "../../../src/core/messaging.js";
import type { CheckedSelection } from "../../../src/driver/index.js";
import type { MessagingError } from "../../../src/errors/messaging-error.js";
import { collectGarbage } from "../../support/collect-garbage.js";
import {
  DEAD,
  message,
  type Node,
  newFile,
  ORDERS,
  openNode,
  settle,
  statesOf,
  toOrders,
  turns,
  until,
} from "./node.js";

const ALL: CheckedSelection = { states: ["available"], limit: 100 };

async function idsOf(node: Node, selection: Partial<CheckedSelection>, spec = ORDERS): Promise<readonly string[]> {
  return (await node.store.browse(spec, { ...ALL, ...selection })).map((view) => view.message.messageId);
}

describe("what operators ask of a file", () => {
  it("is answered in the order in which things are due, by header, id and time", async () => {
    const node = await openNode({ file: newFile() });
    const now = Date.now();
    const post = (id: string, key: string, delayMs: number, more: Readonly<Record<string, string>> = {}) =>
      node.connection.publish(toOrders, message(id, { delayMs, headers: { "event-key2": key, ...more } }));
    await post("in an hour", "7", 3_600_000, { other: "x" });
    await post("in a minute", "7", 60_000);
    await post("of another", "8", 30_000, { other: "x" });
    await node.connection.publish(toOrders, message("now, bulk", { priority: "bulk" }));
    await node.connection.publish(toOrders, message("now, urgent", { priority: "expedite" }));
    expect(await idsOf(node, {})).toEqual(["now, bulk", "now, urgent", "of another", "in a minute", "in an hour"]);
    expect(await idsOf(node, { limit: 2 })).toEqual(["now, bulk", "now, urgent"]);
    expect(await idsOf(node, { headers: { "event-key2": "7" } })).toEqual(["in a minute", "in an hour"]);
    expect(await idsOf(node, { headers: { "event-key2": "7", other: "x" } })).toEqual(["in an hour"]);
    expect(await idsOf(node, { headers: { other: "x" } })).toEqual(["of another", "in an hour"]);
    expect(await idsOf(node, { messageIds: ["in an hour", "nobody"] })).toEqual(["in an hour"]);
    expect(await idsOf(node, { dueFrom: now + 40_000 })).toEqual(["in a minute", "in an hour"]);
    expect(await idsOf(node, { headers: { "event-key2": "7" }, dueBefore: now + 70_000 })).toEqual(["in a minute"]);
    expect(await node.connection.counts?.(ORDERS)).toMatchObject({ ready: 2, delayed: 3, inProcessing: 0 });
  });

  it("uses the index for the headers that have one", async () => {
    const node = await openNode({ file: newFile(), indexedHeaders: ["tenant"] });
    const plan = node.broker.database
      .query(
        `EXPLAIN QUERY PLAN SELECT m.id FROM messages m
         WHERE ${headerExpression("tenant", "m.")} = 'a' AND m.queue = 1 AND (m.due, m.id) > (0, 0) ORDER BY m.due, m.id`,
      )
      .all();
    expect(plan.map((row) => row[3])).toEqual([
      expect.stringMatching(/SEARCH m USING (COVERING )?INDEX messages_by_tenant/),
    ]);
  });

  it("finds one among many, step by step, while others go on", async () => {
    const node = await openNode({ file: newFile() });
    const ids = Array.from({ length: 5_000 }, (_, index) => `m-${index}`);
    await node.publish(...ids);
    let turnsSeen = 0;
    const count = setInterval(() => {
      turnsSeen += 1;
    }, 0);
    expect(await idsOf(node, { messageIds: ["m-4999"], limit: 1 })).toEqual(["m-4999"]);
    clearInterval(count);
    expect(turnsSeen).toBeGreaterThan(1);
    expect(await node.store.remove(ORDERS, { ...ALL, messageIds: ["m-4999"], limit: 1 }, "removed")).toBe(1);
    expect(await node.store.remove(ORDERS, { ...ALL, messageIds: ["m-4999"], limit: 1 }, "removed")).toBe(0);
    expect(await node.store.remove(ORDERS, { ...ALL, limit: 2_000 }, "processed")).toBe(2_000);
    expect(await statesOf(node)).toEqual({ available: 2_999, processed: 2_000, removed: 1 });
    expect((await (await node.take(1)).at(0)).message.messageId).toBe("m-2000");
  });

  it("shows what is handed out, and removes it: its settlement is then lost", async () => {
    const node = await openNode({ file: newFile() });
    const before = Date.now();
    const taking = await node.take(1);
    await node.publish("one", "two");
    const delivery = await taking.at(0);
    const [view] = await node.store.browse(ORDERS, { states: ["in-processing"], limit: 10 });
    expect(view).toMatchObject({ state: "in-processing", message: { messageId: "one" } });
    expect(view?.changedAt).toBeGreaterThanOrEqual(before);
    expect(await node.connection.counts?.(ORDERS)).toMatchObject({ ready: 1, delayed: 0, inProcessing: 1 });
    expect(await node.store.remove(ORDERS, { ...ALL, messageIds: ["one"] }, "removed")).toBe(0);
    expect(await node.store.remove(ORDERS, { states: ["in-processing"], limit: 10 }, "removed")).toBe(1);
    expect(await delivery.settle("release")).toBe(false);
    await settle(await taking.at(1));
    await turns();
    expect(taking.ids()).toEqual(["one", "two"]);
    expect(await statesOf(node)).toEqual({ processed: 1, removed: 1 });
  });

  it("changes the body of what waits, and of nothing else", async () => {
    const node = await openNode({ file: newFile() });
    const taking = await node.take(1);
    await node.publish("out", "waits");
    const body = new TextEncoder().encode("another");
    expect(await node.store.update(ORDERS, "out", body)).toBe(false);
    expect(await node.store.update(ORDERS, "nobody", body)).toBe(false);
    expect(await node.store.update(ORDERS, "waits", body)).toBe(true);
    await settle(await taking.at(0));
    expect(Buffer.from((await taking.at(1)).message.body).toString()).toBe("another");
  });

  it("takes the next one, or none, and gives it back with its connection", async () => {
    const node = await openNode({ file: newFile() });
    const operator = await openNode({ file: node.broker.file });
    await node.publish("one", "two");
    const first = await operator.connection.take?.(ORDERS);
    const second = await operator.connection.take?.(ORDERS);
    expect([first?.message.messageId, second?.message.messageId]).toEqual(["one", "two"]);
    expect(await operator.connection.take?.(ORDERS)).toBeUndefined();
    if (second !== undefined) await settle(second);
    await operator.connection.close();
    const again = await (await node.take(5)).at(0);
    expect([again.message.messageId, again.deliveries]).toEqual(["one", 2]);
    await until(() => node.broker.stored.out.size === 1);
  });

  it("is NOT_FOUND for a queue that is not there; one that was emptied is there", async () => {
    const file = newFile();
    const first = await openNode({ file });
    await first.publish("one");
    await settle(await (await first.take(1)).at(0));
    await first.connection.close();
    const node = await openNode({ file });
    expect(await node.connection.counts?.(ORDERS)).toMatchObject({ ready: 0, oldestReadyMs: undefined });
    expect(await idsOf(node, {}, DEAD)).toEqual([]);
    const nowhere = { name: "nowhere", deadLetterQueue: "nowhere.dead", lanes: false };
    for (const ask of [
      () => node.connection.counts?.(nowhere),
      () => node.connection.take?.(nowhere),
      () => node.store.browse(nowhere, ALL),
      () => node.store.remove(nowhere, ALL, "removed"),
      () => node.store.update(nowhere, "one", new Uint8Array(0)),
    ]) {
      await expect(ask()).rejects.toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining("nowhere") });
    }
  });

  it("stops removing when it is aborted or cut off, and says how many are gone", async () => {
    const { broker, publish, messaging, inspection } = await openMessaging();
    const removedNow = (): number =>
      broker.database.query("SELECT count(*) FROM history WHERE state = 3").first()?.[0] as number;
    let left = 6_000;
    await publish(...Array.from({ length: left }, (_, index) => `m-${index}`));
    const abort = new AbortController();
    const endings = [
      ["ABORTED", () => abort.abort()],
      ["UNAVAILABLE", () => broker.loseClients(new Error("cut"))],
    ] as const;
    for (const [code, end] of endings) {
      const before = removedNow();
      const removing = inspection
        .remove("orders", { limit: 100_000, signal: abort.signal.aborted ? undefined : abort.signal })
        .catch((error: unknown) => error);
      while (removedNow() === before) await new Promise(setImmediate);
      end();
      const error = (await removing) as MessagingError;
      expect(error.code).toBe(code);
      const told = Number(/\((\d+) had been removed\)/.exec(error.message)?.[1]);
      expect(told).toBeGreaterThan(0);
      expect(told).toBeLessThan(left);
      left -= told;
      await turns();
      expect((await inspection.counts("orders")).ready).toBe(left);
    }
    await messaging.close();
  });

  it("ends a search by its signal", async () => {
    const node = await openNode({ file: newFile() });
    await node.publish(...Array.from({ length: 5_000 }, (_, index) => `m-${index}`));
    for (const ask of [
      (signal: AbortSignal) => node.store.remove(ORDERS, { ...ALL, limit: 100_000, signal }, "removed"),
      async (signal: AbortSignal) => (await node.store.browse(ORDERS, { ...ALL, limit: 100_000, signal })).length,
    ]) {
      const { commits } = node.broker.commit;
      const abort = new AbortController();
      const asked = ask(abort.signal);
      await new Promise(setImmediate);
      abort.abort();
      expect(await asked).toBe(0);
      expect(node.broker.commit.commits - commits).toBeLessThan(5);
    }
    expect(await statesOf(node)).toEqual({ available: 5_000 });
  });

  it("removes and moves without the bodies, and reads no more than some of them at a time", async () => {
    const node = await openNode({ file: newFile(), historyMs: 0 });
    const body = new Uint8Array(1_048_576);
    for (let index = 0; index < 60; index += 1) {
      await node.connection.publish(toOrders, message(`m-${index}`, { body }));
    }
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers);
    }, 0);
    const { commits } = node.broker.commit;
    expect(await node.store.browse(ORDERS, { ...ALL, withBodies: false })).toHaveLength(60);
    const views = await node.store.browse(ORDERS, { ...ALL, limit: 20, withBodies: false });
    const moves = views.map(({ key }) => ({ key, to: DEAD, headers: {} }));
    expect(await node.store.move(ORDERS, moves)).toBe(20);
    expect(await node.store.move(ORDERS, moves)).toBe(0);
    expect(await node.store.remove(ORDERS, { ...ALL }, "removed")).toBe(40);
    clearInterval(watch);
    expect(most - before).toBeLessThan(4 * 1_048_576);
    expect(node.broker.commit.commits - commits).toBeLessThan(30);
    const [first] = await node.store.browse(DEAD, { ...ALL, limit: 1 });
    expect([first?.message.messageId, first?.message.body.byteLength]).toEqual(["m-0", 1_048_576]);
    const beforeAll = node.broker.commit.commits;
    expect(await node.store.browse(DEAD, ALL)).toHaveLength(20);
    expect(node.broker.commit.commits - beforeAll).toBeGreaterThanOrEqual(5);
  });

  it("refuses too many bodies without harm to what others ask for at the same time", async () => {
    const node = await openNode({ file: newFile() });
    const body = new Uint8Array(1_048_576);
    for (let index = 0; index < 65; index += 1) {
      await node.connection.publish(toOrders, message(`m-${index}`, { body }));
    }
    let isOver = false;
    const others = Array.from({ length: 4 }, async () => {
      while (!isOver) await node.connection.publish({ kind: "queue", queue: DEAD }, message("other"));
    });
    await expect(node.store.browse(ORDERS, ALL)).rejects.toMatchObject({
      code: "REJECTED",
      retryable: false,
      message: expect.stringContaining(
        "64 MiB of bodies would have to be held at once: select less, or a smaller limit",
      ),
    });
    isOver = true;
    await Promise.all(others);
    expect(await node.store.browse(ORDERS, { ...ALL, limit: 64 })).toHaveLength(64);
  });

  it("moves a message as it is, with other headers, and history says that it was removed", async () => {
    const node = await openNode({ file: newFile() });
    const taking = await node.take(1, DEAD);
    const wire = message("one", { headers: { own: "1", "fairlead-failures": "2" }, type: "t", correlationId: "c" });
    await node.connection.publish(toOrders, { ...wire, priority: "bulk" });
    const [view] = await node.store.browse(ORDERS, ALL);
    const changed = new TextEncoder().encode("changed meanwhile");
    expect(await node.store.update(ORDERS, "one", changed)).toBe(true);
    expect(await node.store.move(ORDERS, [{ key: view?.key, to: DEAD, headers: { own: "1" } }])).toBe(1);
    const { message: moved, redelivered } = await taking.at(0);
    expect(moved).toMatchObject({ messageId: "one", headers: { own: "1" }, type: "t", correlationId: "c" });
    expect([Buffer.from(moved.body).toString(), moved.priority, redelivered]).toEqual([
      "changed meanwhile",
      "bulk",
      false,
    ]);
    expect(await statesOf(node)).toEqual({ removed: 1 });
    expect(await node.store.move(DEAD, [{ key: view?.key, to: ORDERS, headers: {} }])).toBe(0);
  });

  it("is UNAVAILABLE on a closed connection, also for what was seen just now", async () => {
    const node = await openNode({ file: newFile() });
    await node.publish("seen");
    const [view] = await node.store.browse(ORDERS, { ...ALL, limit: 1 });
    await node.connection.close();
    const seen: CheckedSelection = { ...ALL, messageIds: ["seen"], limit: 1 };
    for (const ask of [
      () => node.store.remove(ORDERS, seen, "removed"),
      () => node.store.browse(ORDERS, seen),
      () => node.store.update(ORDERS, "seen", new Uint8Array(0)),
      () => node.store.move(ORDERS, [{ key: view?.key, to: DEAD, headers: {} }]),
    ]) {
      await expect(ask()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    }
  });

  it("lets one search by id run at a time and a few wait, refuses more, and goes on", async () => {
    const node = await openNode({ file: newFile() });
    await node.publish(...Array.from({ length: 3_000 }, (_, index) => `m-${index}`));
    const abort = new AbortController();
    const search = (signal?: AbortSignal) =>
      node.store.remove(ORDERS, { ...ALL, messageIds: ["nobody"], signal }, "processed").then(
        (removed) => removed,
        (error: MessagingError) => error.code,
      );
    // One runs, eight wait, and one of these gives up.
    const outcomes = [search(), search(abort.signal), ...Array.from({ length: 9 }, () => search())];
    await turns();
    abort.abort();
    const all = await Promise.all(outcomes);
    expect(all.filter((one) => one === 0)).toHaveLength(9);
    expect(all.filter((one) => one === "REJECTED")).toHaveLength(2);
    expect(await search()).toBe(0);
  });
});

async function openMessaging() {
  const file = newFile();
  const node = await openNode({ file });
  const messaging = createMessaging({ driver: sqliteDriver({ file }) });
  onTestFinished(() => messaging.close({ drainMs: 0 }));
  await messaging.open();
  const { inspection } = messaging;
  if (inspection === undefined) throw new Error("no inspection");
  return { broker: node.broker, publish: node.publish, messaging, inspection };
}
