import { describe, expect, it, onTestFinished, vi } from "vitest";
import { DEAD, message, newFile, openNode, settle, toOrders, turns, until } from "./node.js";

const LONG_MS = 600_000;

describe("messages that are to be unique", () => {
  it("are stored once, however often and at once they are published", async () => {
    const node = await openNode({ file: newFile() });
    const same = message("one", { uniqueForMs: LONG_MS });
    await Promise.all([same, same, same].map((each) => node.connection.publish(toOrders, each)));
    await node.connection.publish(toOrders, { ...same, body: new TextEncoder().encode("another body") });
    const taking = await node.take(10);
    const delivery = await taking.at(0);
    await settle(delivery);
    await node.connection.publish(toOrders, same);
    await node.publish("marker");
    await until(() => taking.ids().includes("marker"));
    expect(taking.ids()).toEqual(["one", "marker"]);
    expect(Buffer.from(delivery.message.body).toString()).toBe("one");
  });

  it("are remembered through a restart, by queue, and no longer than asked for", async () => {
    const file = newFile();
    const first = await openNode({ file });
    await first.connection.publish(toOrders, message("long", { uniqueForMs: LONG_MS }));
    await first.connection.publish(toOrders, message("short", { uniqueForMs: 1 }));
    await first.connection.close();
    const node = await openNode({ file });
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (const id of ["long", "short"]) {
      await node.connection.publish(toOrders, message(id, { uniqueForMs: LONG_MS }));
      await node.connection.publish({ kind: "queue", queue: DEAD }, message(id, { uniqueForMs: LONG_MS }));
    }
    await node.connection.publish(toOrders, message("long"));
    const counts = await node.connection.counts?.({ name: "orders", deadLetterQueue: undefined, lanes: false });
    expect(counts?.ready).toBe(4);
    expect((await node.connection.counts?.(DEAD))?.ready).toBe(2);
  });

  it("are refused with REJECTED beyond maxUniqueIds, until some are over", async () => {
    const node = await openNode({ file: newFile(), maxUniqueIds: 3 });
    for (const id of ["a", "b", "c"]) await node.connection.publish(toOrders, message(id, { uniqueForMs: LONG_MS }));
    await expect(node.connection.publish(toOrders, message("d", { uniqueForMs: 20 }))).rejects.toMatchObject({
      code: "REJECTED",
      message: expect.stringContaining("maxUniqueIds"),
    });
    // What is remembered is refused to nobody, and others go on in the same transaction.
    const full = ["e", "a", "f"].map((id) => node.connection.publish(toOrders, message(id, { uniqueForMs: 20 })));
    await Promise.all([node.publish("without"), Promise.allSettled(full)]);
    expect((await Promise.allSettled(full)).map(({ status }) => status)).toEqual(["rejected", "fulfilled", "rejected"]);
    const over = Date.now() + LONG_MS + 1;
    const now = vi.spyOn(Date, "now").mockImplementation(() => over);
    onTestFinished(() => now.mockRestore());
    await node.publish("purges beside it");
    await turns();
    await node.connection.publish(toOrders, message("d", { uniqueForMs: 20 }));
  });

  it("are bounded by maxUniqueIds also within one transaction", async () => {
    const node = await openNode({ file: newFile(), maxUniqueIds: 10 });
    const publishing = Array.from({ length: 100 }, (_, index) =>
      node.connection.publish(toOrders, message(`m-${index}`, { uniqueForMs: LONG_MS })),
    );
    const stored = (await Promise.allSettled(publishing)).filter(({ status }) => status === "fulfilled");
    expect([stored.length, node.broker.stored.uniqueIds.size]).toEqual([10, 10]);
  });
});
