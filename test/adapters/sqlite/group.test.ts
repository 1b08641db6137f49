import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { WireMessage } from "../../../src/driver/index.js";
import { message, newFile, openNode, settle, toOrders, turns, until } from "./node.js";

const oneTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** How many timers the adapter sets from now on, until the test is over. */
function countTimers(): () => number {
  const real = globalThis.setTimeout;
  let count = 0;
  const timers = vi.spyOn(globalThis, "setTimeout").mockImplementation(((...given: Parameters<typeof setTimeout>) => {
    if (/(?<!test)\/adapters\/sqlite\//.test(new Error().stack ?? "")) count += 1;
    return real(...given);
  }) as typeof setTimeout);
  onTestFinished(() => timers.mockRestore());
  return () => count;
}

describe("what is asked for together", () => {
  it("is committed together: publishes, deliveries and settlements of one turn share a transaction", async () => {
    const node = await openNode({ file: newFile() });
    const other = await openNode({ file: node.broker.file });
    const before = node.broker.commit.commits;
    const ids = Array.from({ length: 500 }, (_, index) => `m-${index}`);
    await Promise.all([node.publish(...ids), other.publish(...ids)]);
    expect(node.broker.commit.commits - before).toBe(1);

    const taking = await node.take(1_000);
    await until(() => taking.deliveries.length === 1_000);
    const settling = node.broker.commit.commits;
    await Promise.all([...taking.deliveries.map((delivery) => settle(delivery)), node.publish("beside")]);
    expect(node.broker.commit.commits - settling).toBe(1);
    expect((await taking.at(1_000)).message.messageId).toBe("beside");
  });

  it("waits for what the next turns bring, but not for long, and not for more than is enough", async () => {
    const node = await openNode({ file: newFile() });
    await node.publish("first");
    const before = node.broker.commit.commits;
    const few: Promise<void>[] = [];
    // The turns may take as long as they like.
    const clock = vi.spyOn(performance, "now").mockReturnValue(performance.now());
    for (const id of ["a", "b", "c"]) {
      few.push(node.publish(id));
      await oneTurn();
    }
    await Promise.all(few);
    clock.mockRestore();
    expect(node.broker.commit.commits - before).toBe(1);

    const crowded = node.broker.commit.commits;
    let isStored = false;
    const stored = node.publish("one").then(() => {
      isStored = true;
    });
    const others: Promise<void>[] = [];
    for (let turn = 0; turn < 1_000 && !isStored; turn += 1) {
      others.push(node.publish(`other-${turn}`));
      await oneTurn();
    }
    expect(isStored).toBe(true);
    expect(others.length).toBeLessThan(50);
    await Promise.all([stored, ...others]);
    expect(node.broker.commit.commits - crowded).toBeGreaterThan(0);

    const full = node.broker.commit.commits;
    const many = Array.from({ length: 300 }, (_, index) => `m-${index}`);
    const publishing = node.publish(...many);
    await oneTurn();
    expect(node.broker.commit.commits - full).toBe(1);
    await publishing;
  });

  it("is bounded in number and in bytes, so that nothing else waits for long", async () => {
    const node = await openNode({ file: newFile() });
    const before = node.broker.commit.commits;
    let turnsSeen = 0;
    let isOver = false;
    const count = (): void => {
      turnsSeen += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const body = new Uint8Array(1024 * 1024);
    const large = Array.from({ length: 20 }, (_, index) =>
      node.connection.publish(toOrders, message(`l-${index}`, { body })),
    );
    const small = Array.from({ length: 3_000 }, (_, index) => node.connection.publish(toOrders, message(`s-${index}`)));
    await Promise.all([...large, ...small]);
    isOver = true;
    expect(node.broker.commit.commits - before).toBeGreaterThanOrEqual(7);
    expect(turnsSeen).toBeGreaterThanOrEqual(7);
    const taking = await node.take(5_000);
    await until(() => taking.deliveries.length === 3_020);
    expect(taking.ids().slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, index) => `l-${index}`));
  });

  it("waits for nothing when there is nothing: no timer, no transaction", async () => {
    const node = await openNode({ file: newFile(), historyMs: 0 });
    const taking = await node.take(10);
    await node.publish("one");
    await settle(await taking.at(0));
    await turns();
    const { commit } = node.broker;
    const timers = countTimers();
    const commits = commit.commits;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(timers()).toBe(0);
    await node.connection.publish(toOrders, message("later", { delayMs: 60_000 }));
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(timers()).toBe(1);
    expect(commit.commits).toBe(commits + 1);
  });

  it("waits for nothing when something is due and nobody has room for it", async () => {
    const node = await openNode({ file: newFile(), historyMs: 0 });
    const taking = await node.take(1);
    await node.publish("held");
    const held = await taking.at(0);
    await node.connection.publish(toOrders, message("due", { delayMs: 10 }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { commits } = node.broker.commit;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(node.broker.commit.commits).toBe(commits);
    await settle(held);
    expect((await taking.at(1)).message.messageId).toBe("due");
  });

  it("fails alone when it alone is at fault", async () => {
    const node = await openNode({ file: newFile() });
    const taking = await node.take(5);
    await node.publish("one", "two");
    await taking.at(1);
    const bad = (more: object) => node.connection.publish(toOrders, message("bad", more as Partial<WireMessage>));
    // Through its connection's own door, which operators' questions use.
    const asked = node.store.browse(
      { name: "orders", deadLetterQueue: undefined, lanes: false },
      {
        states: ["in-processing"],
        limit: 1,
        get headers(): never {
          throw new RangeError("of this question");
        },
      },
    );
    const faults = [
      bad({ headers: { big: 1n } }),
      bad({ type: true }),
      bad({ timestamp: Number.NaN }),
      bad({ delayMs: Number.NaN }),
      bad({ body: "text" }),
      bad({ priority: "none" }),
    ];
    const [first, second] = taking.deliveries;
    const retry = second?.settle({ retryInMs: 0, headers: { big: 1n } as never });
    const outcome = Promise.allSettled([asked, ...faults, retry]);
    const before = node.broker.commit.commits;
    await Promise.all([node.publish("beside"), first?.settle("ack").then((isSettled) => expect(isSettled).toBe(true))]);
    expect(node.broker.commit.commits - before).toBe(1);
    expect((await outcome).map((each) => each.status)).toEqual(Array(8).fill("rejected"));
    await expect(asked).rejects.toThrow("of this question");
    for (const fault of [...faults, retry]) await expect(fault).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect((await taking.at(2)).message.messageId).toBe("beside");
    if (second !== undefined) await settle(second);
    expect(node.lost).toEqual([]);
  });

  it("is undone as a whole when a part of it that had begun fails", async () => {
    const node = await openNode({ file: newFile() });
    await node.publish("one", "two");
    const { stored } = node.broker;
    const remove = stored.remove.bind(stored);
    stored.remove = (...given) => {
      remove(...given);
      throw new RangeError("half done");
    };
    const orders = { name: "orders", deadLetterQueue: undefined, lanes: false };
    await expect(node.store.remove(orders, { states: ["available"], limit: 5 }, "removed")).rejects.toThrow(
      "half done",
    );
    expect((await node.connection.counts?.(orders))?.ready).toBe(2);
  });

  it("is all that a connection waits for when it is closed, however busy others are", async () => {
    const node = await openNode({ file: newFile(), historyMs: 0 });
    const other = await openNode({ file: node.broker.file, historyMs: 0 });
    let isOver = false;
    const busy = Array.from({ length: 2_500 }, async (_, index) => {
      while (!isOver) await other.publish(`m-${index}`);
    });
    await turns();
    const stored = node.publish("last words");
    let isClosed = false;
    const closing = node.connection.close().then(() => {
      isClosed = true;
    });
    await expect(stored).resolves.toBeUndefined();
    const end = other.broker.commit.commits + 50;
    await until(() => isClosed || other.broker.commit.commits > end);
    expect(isClosed).toBe(true);
    isOver = true;
    await Promise.all([closing, ...busy]);
  });

  it("counts its headers as well", async () => {
    const node = await openNode({ file: newFile(), maxHistoryBytes: 300_000 });
    const before = node.broker.commit.commits;
    const headers = { large: "x".repeat(100_000) };
    const publish = (index: number) => node.connection.publish(toOrders, message(`m-${index}`, { headers }));
    await Promise.all(Array.from({ length: 100 }, (_, index) => publish(index)));
    expect(node.broker.commit.commits - before).toBeGreaterThanOrEqual(3);
    const reading = node.broker.commit.commits;
    const taking = await node.take(1_000);
    await until(() => taking.deliveries.length === 100);
    expect(node.broker.commit.commits - reading).toBeGreaterThanOrEqual(3);
    await Promise.all(taking.deliveries.map((delivery) => settle(delivery)));
    await until(() => node.broker.database.query("SELECT count(*) FROM history").first()?.[0] === 2);
    await expect(
      publish(0).then(() =>
        node.connection.publish(
          toOrders,
          message("huge", {
            headers: { large: "x".repeat(17 * 1024 * 1024) },
          }),
        ),
      ),
    ).rejects.toMatchObject({ code: "TOO_LARGE" });
  });
});
