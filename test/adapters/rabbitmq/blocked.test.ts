import { describe, expect, it, onTestFinished } from "vitest";
import { checkHealth, createGrpcGateway } from "../../../adapters/grpc/index.js";
import { rabbitmqDriver } from "../../../adapters/rabbitmq/index.js";
import { Stopwatch } from "../../../src/contract/stopwatch.js";
import type { WireMessage } from "../../../src/driver/index.js";
import { createEventService } from "../../../src/events/index.js";
import { createMessaging, MessagingError, type Observation } from "../../../src/index.js";
import { brokerNode, brokerUrl } from "./broker.js";
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
    const watch = new Stopwatch();
    await late.connection.close();
    expect(watch.undisturbedMs).toBeLessThan(1_500);
    expect(await alsoHeld).toBe("refused");

    await setAlarm(false);
    await publishing;
    expect(blocked).toEqual([true, false]);
    expect(bodyOf(await at(2))).toBe("during");
    expect(lost).toEqual([]);
  });

  it("holds up frames and broadcasts as soon as the buffers are full, and lets operators look and take", async () => {
    const link = await connectDriver();
    const { connection, blocked, lost } = link;
    const queue = testQueue("alarm");
    await connection.publish({ kind: "queue", queue }, wire("before"));
    const inbox: WireMessage[] = [];
    const { address } = await connection.openInbox(
      (message) => inbox.push(message),
      () => {},
    );
    onTestFinished(() => setAlarm(false));
    await setAlarm(true);
    const body = Buffer.alloc(64 * 1024);
    let resolved = 0;
    const frames = Array.from({ length: 800 }, () =>
      connection.publish({ kind: "inbox", address }, { ...wire("frame"), body }).then(() => {
        resolved += 1;
      }),
    );
    const all = Promise.all(frames);
    await eventually(() => blocked.length > 0, "the alarm to be told");
    expect(resolved).toBeLessThan(800);
    expect(await connection.counts?.(queue)).toMatchObject({ ready: 1 });
    const taken = await connection.take?.(queue);
    expect(taken && bodyOf(taken)).toBe("before");
    expect(await taken?.settle("release")).toBe(true);
    // A retry is a publish: it waits, and the message stays where it is.
    const again = await connection.take?.(queue);
    const retried = again?.settle({ retryInMs: 0, headers: {} });
    await setAlarm(false);
    await all;
    await eventually(() => inbox.length === 800, `all frames, there are ${inbox.length}`, 10_000);
    expect(await retried).toBe(true);
    expect([blocked, lost]).toEqual([[true, false], []]);
  });

  it("leaves a Messaging that says so, also as health, whose publishes wait, then fail as UNAVAILABLE, and that closes in its time", async () => {
    const observed: Observation[] = [];
    const messaging = createMessaging({
      driver: rabbitmqDriver({ url: brokerUrl, closeTimeoutMs: 500 }),
      observers: [(observation) => observed.push(observation)],
    });
    onTestFinished(() => messaging.close({ drainMs: 0 }));
    const queue = messaging.queue(testQueue("alarm").name);
    const broadcast = messaging.broadcast(testQueue("alarm").name);
    await queue.publish({ body: Buffer.from("before") });
    const events = createEventService({ messaging, queue: testQueue("alarm").name });
    const gateway = createGrpcGateway({ events, listen: "127.0.0.1:0" });
    onTestFinished(() => gateway.close({ drainMs: 0 }));
    const address = await gateway.start();
    expect(await checkHealth({ address })).toBe("SERVING");
    onTestFinished(() => setAlarm(false));
    await setAlarm(true);
    const bounded = queue
      .publish({ body: Buffer.from("bounded") }, { timeoutMs: 500 })
      .catch((error: unknown) => error);
    const open = queue.publish({ body: Buffer.from("open") }).catch((error: unknown) => error);
    await eventually(() => messaging.blocked, "the alarm to be told");
    const error = await bounded;
    expect(MessagingError.is(error, "UNAVAILABLE")).toBe(true);
    expect([messaging.state, messaging.blocked]).toEqual(["open", true]);
    expect(await checkHealth({ address })).toBe("NOT_SERVING");
    expect(observed.filter(({ type }) => type === "blocked")).toEqual([{ type: "blocked", blocked: true }]);
    const signals = Promise.allSettled(
      Array.from({ length: 3_000 }, () => broadcast.publish({ body: Buffer.alloc(32 * 1024) })),
    );
    const watch = new Stopwatch();
    await messaging.close({ drainMs: 300 });
    expect(watch.undisturbedMs).toBeLessThan(3_000);
    expect(MessagingError.is(await open)).toBe(true);
    for (const outcome of await signals) {
      if (outcome.status === "rejected") expect(MessagingError.is(outcome.reason)).toBe(true);
    }
    expect(observed.at(-1)).toMatchObject({ type: "connection", state: "closed" });
  });
});
