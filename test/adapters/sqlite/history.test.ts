import { describe, expect, it } from "vitest";
import { FAILURES_HEADER } from "../../../src/driver/index.js";
import { message, type Node, newFile, ORDERS, openNode, settle, statesOf, toOrders, turns, until } from "./node.js";

function rows(node: Node, table: string): number {
  return node.broker.database.query(`SELECT count(*) FROM ${table}`).first()?.[0] as number;
}

describe("history", () => {
  it("says what became of each message, the newest first, with body and headers as they were", async () => {
    const node = await openNode({ file: newFile() });
    const taking = await node.take(1);
    await node.connection.publish(toOrders, message("tried", { headers: { kept: "yes" } }));
    await settle(await taking.at(0), { retryInMs: 0, headers: { kept: "yes", [FAILURES_HEADER]: "1" } });
    await settle(await taking.at(1), { retryInMs: 0, headers: { kept: "yes", [FAILURES_HEADER]: "2" } });
    await settle(await taking.at(2));
    await node.publish("given up");
    await settle(await taking.at(3), { deadLetter: { "dead-letter-reason": "because" } });
    await node.publish("released");
    await settle(await taking.at(4), "release");
    await settle(await taking.at(5));
    const past = await node.store.browse(ORDERS, { states: ["processed", "failed", "removed", "reaped"], limit: 100 });
    const told = past.map(({ message: { messageId, headers }, state }) => [messageId, state, headers[FAILURES_HEADER]]);
    expect(told).toEqual([
      ["released", "processed", undefined],
      ["given up", "failed", undefined],
      ["tried", "processed", "2"],
      ["tried", "failed", "1"],
      ["tried", "failed", undefined],
    ]);
    expect(past.every(({ message: { body, messageId } }) => Buffer.from(body).toString() === messageId)).toBe(true);
    // One body, however often it was tried.
    expect(rows(node, "messages")).toBe(3);
  });

  it("has a loss as reaped, also one of a connection that is closed", async () => {
    const node = await openNode({ file: newFile() });
    const other = await openNode({ file: node.broker.file });
    await node.publish("one");
    await (await other.take(1)).at(0);
    await other.connection.close();
    const taking = await node.take(1);
    expect((await taking.at(0)).deliveries).toBe(2);
    expect(await statesOf(node)).toEqual({ "in-processing": 1, reaped: 1 });
  });

  it("holds no more than it is to, in messages", async () => {
    const node = await openNode({ file: newFile(), maxHistoryMessages: 50 });
    const taking = await node.take(1_000);
    for (let round = 0; round < 5; round += 1) {
      await node.publish(...Array.from({ length: 100 }, (_, index) => `${round}-${index}`));
      await until(() => taking.deliveries.length === (round + 1) * 100);
      await Promise.all(taking.deliveries.slice(round * 100).map((delivery) => settle(delivery)));
      expect(rows(node, "history")).toBeLessThanOrEqual(50);
    }
    await turns();
    expect(rows(node, "messages")).toBe(50);
    const [newest] = await node.store.browse(ORDERS, { states: ["processed"], limit: 1 });
    expect(newest?.message.messageId).toBe("4-99");
  });

  it("holds no more than it is to, in bytes", async () => {
    const node = await openNode({ file: newFile(), maxHistoryBytes: 10_000 });
    const taking = await node.take(100);
    const body = new Uint8Array(1_000);
    for (let index = 0; index < 30; index += 1) await node.connection.publish(toOrders, message(`${index}`, { body }));
    await until(() => taking.deliveries.length === 30);
    await Promise.all(taking.deliveries.map((delivery) => settle(delivery)));
    expect(rows(node, "history")).toBe(10);
    expect(rows(node, "messages")).toBe(10);
  });

  it("is taken away in steps of so many bytes", async () => {
    const node = await openNode({ file: newFile(), maxHistoryBytes: 1_000_000 });
    const taking = await node.take(100);
    const body = new Uint8Array(1024 * 1024);
    await Promise.all(
      Array.from({ length: 40 }, (_, index) => node.connection.publish(toOrders, message(`${index}`, { body }))),
    );
    await until(() => taking.deliveries.length === 40);
    await Promise.all(taking.deliveries.map((delivery) => settle(delivery)));
    expect(rows(node, "history")).toBe(32);
    await until(() => rows(node, "history") === 0);
    expect(rows(node, "messages")).toBe(0);
  });

  it("is not counted anew, nor forgotten, when a transaction is undone", async () => {
    const node = await openNode({ file: newFile(), maxHistoryMessages: 3 });
    const taking = await node.take(10);
    await node.publish("a", "b", "c");
    await until(() => taking.deliveries.length === 3);
    await Promise.all(taking.deliveries.map((delivery) => settle(delivery)));
    await node.connection.publish(toOrders, message("known", { uniqueForMs: 60_000, priority: "bulk" }));
    const { database, stored } = node.broker;
    // A row that it does not know of shows whether it counts the table.
    database.execute("INSERT INTO unique_ids VALUES (1, 'by another hand', 9000000000000)");
    database.execute("INSERT INTO history SELECT 0, 1, 1, 1, 9000000000000, 1, 0, 0, NULL");
    const figures = () => [stored.history.nextPurge, stored.uniqueIds.size, stored.uniqueIds.nextPurge];
    const before = figures();
    const pages = database.query("PRAGMA page_count").first()?.[0] as number;
    database.execute(`PRAGMA max_page_count = ${pages}`);
    const refused = ["a", "b"].map((id) =>
      node.connection.publish(toOrders, message(id, { uniqueForMs: 10, body: new Uint8Array(100_000) })),
    );
    for (const each of refused) await expect(each).rejects.toThrow();
    database.execute("PRAGMA max_page_count = 1000000");
    expect(figures()).toEqual(before);
    await node.publish("d");
    await settle(await taking.at(4));
    await until(() => rows(node, "history") === 4);
  });

  it("is taken away when it is old, by a timer, in steps, and from the file of an earlier run too", async () => {
    const file = newFile();
    const first = await openNode({ file });
    const taking = await first.take(3_000);
    await first.publish(...Array.from({ length: 3_000 }, (_, index) => `m-${index}`));
    await until(() => taking.deliveries.length === 3_000);
    await Promise.all(taking.deliveries.map((delivery) => settle(delivery)));
    expect(rows(first, "history")).toBe(3_000);
    await taking.consumer.stop();
    await first.connection.close();
    const node = await openNode({ file, historyMs: 100 });
    await node.publish("waits");
    await until(() => rows(node, "history") === 0);
    expect(rows(node, "messages")).toBe(1);
    const last = await node.take(1);
    await settle(await last.at(0));
    expect(rows(node, "history")).toBe(1);
    await until(() => rows(node, "history") === 0);
    expect(rows(node, "messages")).toBe(0);
  });

  it("is not kept with historyMs 0", async () => {
    const node = await openNode({ file: newFile(), historyMs: 0 });
    const taking = await node.take(1);
    await node.publish("one");
    await settle(await taking.at(0), { retryInMs: 0, headers: { [FAILURES_HEADER]: "1" } });
    await settle(await taking.at(1));
    expect([rows(node, "history"), rows(node, "messages"), rows(node, "waiting")]).toEqual([0, 0, 0]);
    await turns();
    expect(rows(node, "leases")).toBe(0);
  });
});
