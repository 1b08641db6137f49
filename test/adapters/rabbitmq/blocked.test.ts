import { describe, expect, it, onTestFinished } from "vitest";
import { brokerNode } from "./broker.js";
import { bodyOf, connectDriver, eventually, take, testQueue, wire } from "./rig.js";

/** A memory alarm, as on a broker that has no memory left. */
async function setAlarm(on: boolean): Promise<void> {
  await brokerNode().control("set_vm_memory_high_watermark", on ? "0.0001" : "0.4");
}

describe("rabbitmq memory alarm", () => {
  it("is told, holds up publishes, leaves consumers and settlements alone, and is told to be over", async () => {
    const { connection, blocked, lost } = await connectDriver();
    const queue = testQueue("alarm");
    const { at } = await take(connection, queue);
    await connection.publish({ kind: "queue", queue }, wire("before"));
    const before = await at(0);
    onTestFinished(() => setAlarm(false));
    await setAlarm(true);
    let stored = false;
    const publishing = connection.publish({ kind: "queue", queue }, wire("during")).then(() => {
      stored = true;
    });
    await eventually(() => blocked.length > 0, "the alarm to be told");
    expect(blocked).toEqual([true]);
    expect(await before.settle("release")).toBe(true);
    expect(await (await at(1)).settle("ack")).toBe(true);
    await connection.openInbox(
      () => {},
      () => {},
    );
    expect(stored).toBe(false);

    // Who connects during the alarm learns of it too, and can close in bounded time.
    const late = await connectDriver({ closeTimeoutMs: 300 });
    const alsoHeld = late.connection.publish({ kind: "queue", queue }, wire("never")).catch(() => "refused");
    await eventually(() => late.blocked.includes(true), "the alarm to be told to the second");
    const started = performance.now();
    await late.connection.close();
    expect(performance.now() - started).toBeLessThan(1_500);
    expect(await alsoHeld).toBe("refused");

    await setAlarm(false);
    await publishing;
    expect(blocked).toEqual([true, false]);
    expect(bodyOf(await at(2))).toBe("during");
    expect(lost).toEqual([]);
  });
});
