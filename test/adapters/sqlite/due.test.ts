import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Alarm, MachineClock } from "../../../adapters/sqlite/machine-clock.js";
import type { WireDelivery } from "../../../src/driver/index.js";
import { DEAD, message, newFile, ORDERS, openNode, settle, toOrders, until } from "./node.js";

describe("what is due", () => {
  it("comes in the order in which it became due, also behind a restart, and never early", async () => {
    const file = newFile();
    const first = await openNode({ file });
    const started = Date.now();
    // In one group: all of them count from the same moment.
    const delayed = [300, 100, 200].map((delayMs) =>
      first.connection.publish(toOrders, message(`after ${delayMs}`, { delayMs })),
    );
    await Promise.all([...delayed, first.publish("now")]);
    await first.connection.close();
    const node = await openNode({ file });
    const at: number[] = [];
    const taking = await node.take(1);
    for (let index = 0; index < 4; index += 1) {
      const delivery = await taking.at(index);
      at.push(Date.now() - started);
      await settle(delivery);
    }
    expect(taking.ids()).toEqual(["now", "after 100", "after 200", "after 300"]);
    for (const [index, delayMs] of [0, 100, 200, 300].entries()) expect(at[index]).toBeGreaterThanOrEqual(delayMs);
  });

  it("goes behind a backlog in its turn, and a retry at once to its end", async () => {
    const node = await openNode({ file: newFile() });
    const delayed = node.connection.publish(toOrders, message("delayed", { delayMs: 400 }));
    await Promise.all([delayed, node.publish("a", "b", "c")]);
    await new Promise((resolve) => setTimeout(resolve, 420));
    await node.publish("d");
    const taking = await node.take(1);
    await settle(await taking.at(0), { retryInMs: 0, headers: {} });
    for (let index = 1; index < 6; index += 1) await settle(await taking.at(index));
    expect(taking.ids()).toEqual(["a", "b", "c", "delayed", "d", "a"]);
  });

  it("is what was stored as ready by a clock that was ahead, and not what was delayed", async () => {
    const file = newFile();
    const first = await openNode({ file });
    await first.publish("a", "b");
    await first.connection.publish(toOrders, message("delayed", { delayMs: 60_000 }));
    await first.connection.close();
    const ahead = new Database(file);
    ahead.exec("UPDATE waiting SET due = due + 7200000; UPDATE messages SET due = due + 7200000");
    ahead.close();
    const node = await openNode({ file });
    const taking = await node.take(10);
    await settle(await taking.at(1));
    expect(taking.ids()).toEqual(["a", "b"]);
    expect(await node.connection.counts?.(ORDERS)).toMatchObject({ delayed: 1, inProcessing: 1 });
  });

  it("is counted by a clock that never goes back", () => {
    const times = [5_000, 5_001, 2_000, 2_010, 9_000];
    const now = vi.spyOn(Date, "now").mockImplementation(() => times.shift() ?? 0);
    onTestFinished(() => now.mockRestore());
    const clock = new MachineClock();
    expect(Array.from({ length: 5 }, () => clock.now())).toEqual([5_000, 5_001, 5_001, 5_011, 12_001]);
  });

  it("is seen within half a minute of a clock that was set forward", () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    let rang = 0;
    const alarm = new Alarm(new MachineClock(), false, () => {
      rang += 1;
    });
    alarm.notAfter(Date.now() + 3_600_000);
    vi.advanceTimersByTime(60_000);
    expect(rang).toBe(0);
    vi.setSystemTime(Date.now() + 7_200_000);
    vi.advanceTimersByTime(30_000);
    expect([rang, vi.getTimerCount()]).toEqual([1, 0]);
  });

  it("expires in steps of so many bytes, with bodies whole", async () => {
    const node = await openNode({ file: newFile() });
    const body = new Uint8Array(1024 * 1024).fill(7);
    const dead = await node.take(100, DEAD);
    // The clock stands still, so that none expires before all are stored; the timer looks at it again and again.
    let clockMs = Date.now();
    const now = vi.spyOn(Date, "now").mockImplementation(() => clockMs);
    onTestFinished(() => now.mockRestore());
    await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        node.connection.publish(toOrders, message(`m-${index}`, { body, expiresInMs: 300 })),
      ),
    );
    const { stored, commit } = node.broker;
    const { commits } = commit;
    let most = 0;
    const expireDue = stored.expireDue.bind(stored);
    stored.expireDue = () => {
      const before = node.broker.database.query("SELECT count(*) FROM waiting WHERE queue = 2").first()?.[0] as number;
      const isMore = expireDue();
      stored.messages.flush();
      const after = node.broker.database.query("SELECT count(*) FROM waiting WHERE queue = 2").first()?.[0] as number;
      most = Math.max(most, before - after);
      return isMore;
    };
    // They have all expired when the timer looks next.
    clockMs += 400;
    await until(() => dead.deliveries.length === 30);
    expect(most).toBe(8);
    expect(commit.commits - commits).toBeGreaterThanOrEqual(4);
    expect(dead.deliveries.every(({ message: { body: its } }) => Buffer.compare(its, body) === 0)).toBe(true);
  });

  it("expires though nobody takes it, with its reason, and through a restart", async () => {
    const file = newFile();
    const first = await openNode({ file });
    await first.connection.publish(toOrders, message("old", { expiresInMs: 30, headers: { kept: "yes" } }));
    await first.connection.publish(toOrders, message("older", { expiresInMs: 10 }));
    await first.connection.publish(toOrders, message("young", { expiresInMs: 60_000 }));
    await first.connection.close();
    await new Promise((resolve) => setTimeout(resolve, 40));
    const node = await openNode({ file });
    const waiting = (): unknown =>
      node.broker.database.query("SELECT count(*) FROM waiting WHERE queue = 2").first()?.[0];
    await until(() => waiting() === 2);
    expect(node.broker.stored.queues.find(DEAD.name)?.id).toBe(2);
    const dead = await node.take(5, DEAD);
    const old = [await dead.at(0), await dead.at(1)].find((delivery) => delivery.message.messageId === "old");
    expect(old?.message.headers).toMatchObject({
      kept: "yes",
      "dead-letter-reason": "expired",
      "dead-letter-queue": "orders",
    });
    const taking = await node.take(5);
    expect((await taking.at(0)).message.messageId).toBe("young");
    expect(dead.ids()).not.toContain("young");
  });

  it("is handed out once, however often it is given back while others are stored and taken", async () => {
    const node = await openNode({ file: newFile() });
    const wanted = 2_000;
    const acked = new Set<string>();
    const takings = [await node.take(1), await node.take(7), await node.take(100)];
    const seen = [0, 0, 0];
    let handled = 0;
    const handle = (delivery: WireDelivery): void => {
      const { messageId } = delivery.message;
      if (acked.has(messageId)) throw new Error(`${messageId} came again after its end`);
      handled += 1;
      if (handled % 7 === 0) void delivery.settle("release");
      else if (handled % 11 === 0) void delivery.settle({ retryInMs: handled % 3, headers: {} });
      else {
        acked.add(messageId);
        void delivery.settle("ack");
      }
    };
    const handleAll = async (): Promise<void> => {
      const end = performance.now() + 15_000;
      while (acked.size < wanted) {
        if (performance.now() > end) throw new Error(`${acked.size} of ${wanted} after 15 s`);
        for (const [index, taking] of takings.entries()) {
          for (let next = seen[index] ?? 0; next < taking.deliveries.length; next += 1) {
            const delivery = taking.deliveries[next];
            if (delivery !== undefined) handle(delivery);
            seen[index] = next + 1;
          }
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const publishing = (async () => {
      for (let from = 0; from < wanted; from += 100) {
        await node.publish(...Array.from({ length: 100 }, (_, index) => `m-${from + index}`));
      }
    })();
    await Promise.all([publishing, handleAll()]);
    expect(acked.size).toBe(wanted);
    await until(() => node.broker.stored.out.size === 0);
    expect((await node.connection.counts?.({ name: "orders", deadLetterQueue: undefined, lanes: false }))?.ready).toBe(
      0,
    );
  });
});
