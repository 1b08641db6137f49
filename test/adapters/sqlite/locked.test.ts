import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished } from "vitest";
import { sqliteDriver } from "../../../adapters/sqlite/index.js";
import { Stopwatch } from "../../../src/contract/stopwatch.js";
import { newFile, openNode, settle, turns, until } from "./node.js";

/** Holds the write lock of the file as another program would, until the test is over or `release`. */
function lockFile(file: string): { release(): void } {
  const other = new Database(file);
  other.exec("BEGIN IMMEDIATE");
  const release = (): void => {
    other.close();
  };
  onTestFinished(release);
  return { release };
}

/** The longest that the event loop stood still while this ran. */
async function longestStill(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  let isOver = false;
  const tick = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setTimeout(tick, 1);
  };
  tick();
  await work();
  isOver = true;
  return longest;
}

describe("a file that another program has locked", () => {
  it("for a moment loses nothing: what is to be written waits, in order, and the process goes on", async () => {
    const node = await openNode({ file: newFile() });
    const taking = await node.take(2);
    await node.publish("before");
    const held = await taking.at(0);
    const waiting = () => longestStill(() => new Promise((resolve) => setTimeout(resolve, 300)));
    const unlocked = await waiting();
    const lock = lockFile(node.broker.file);
    let isStored = false;
    const settling = settle(held);
    const publishing = Promise.all([node.publish("one", "two"), node.publish("three")]).then(() => {
      isStored = true;
    });
    const still = Math.min(await waiting(), await waiting(), await waiting());
    expect(isStored).toBe(false);
    // A wait inside SQLite would stop it for the whole of its time, again and again. A machine that is busy does so now and then.
    expect(still).toBeLessThan(Math.max(150, 3 * unlocked));
    lock.release();
    await Promise.all([settling, publishing]);
    await until(() => taking.deliveries.length === 3);
    expect(taking.ids()).toEqual(["before", "one", "two"]);
    expect(node.lost).toEqual([]);
    await settle(await taking.at(1));
    await taking.at(3);
  });

  it("for longer than lockTimeoutMs loses its connections with UNAVAILABLE, and is opened anew once it is free", async () => {
    const file = newFile();
    const node = await openNode({ file, lockTimeoutMs: 100 });
    await node.publish("before");
    const lock = lockFile(node.broker.file);
    const started = performance.now();
    const refusal = await node.publish("one").catch((error: unknown) => error);
    expect(sqliteDriver({ file }).toMessagingError(refusal)).toMatchObject({ code: "UNAVAILABLE" });
    expect(performance.now() - started).toBeGreaterThanOrEqual(95);
    await until(() => node.lost.length === 1);
    expect(node.lost[0]).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/events\.db: another process holds the file/),
    });
    await expect(openNode({ file, lockTimeoutMs: 100 })).rejects.toMatchObject({ code: "UNAVAILABLE" });
    lock.release();
    const next = await openNode({ file, lockTimeoutMs: 100 });
    await next.publish("two");
    const taking = await next.take(5);
    await until(() => taking.deliveries.length === 2);
    expect(taking.ids()).toEqual(["before", "two"]);
  });

  it("does not hold up a close for longer than lockTimeoutMs, which refuses what waits", async () => {
    const node = await openNode({ file: newFile(), lockTimeoutMs: 100 });
    await node.publish("before");
    lockFile(node.broker.file);
    const publishing = node.publish("one").catch((error: unknown) => error);
    const watch = new Stopwatch();
    await node.connection.close();
    expect(watch.undisturbedMs).toBeLessThan(2_000);
    expect(await publishing).toBeInstanceOf(Error);
    await until(() => !node.broker.isOpen);
  });

  it("is not tried over and over when nothing is to be written", async () => {
    const node = await openNode({ file: newFile(), lockTimeoutMs: 50 });
    await node.take(1);
    await turns();
    const lock = lockFile(node.broker.file);
    await new Promise((resolve) => setTimeout(resolve, 200));
    lock.release();
    expect(node.lost).toEqual([]);
    await node.publish("one");
  });
});
