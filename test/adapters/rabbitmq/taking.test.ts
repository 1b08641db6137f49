import { describe, expect, it, onTestFinished } from "vitest";
import { rabbitmqDriver } from "../../../adapters/rabbitmq/index.js";
import type { DriverConnection, QueueSpec, WireDelivery } from "../../../src/driver/index.js";
import { createMessaging } from "../../../src/index.js";
import { brokerNode, brokerUrl, uniqueName } from "./broker.js";
import { bodyOf, connectDriver, deadLettersOf, operator, refusal, take, testQueue, wire } from "./rig.js";

function takeOne(connection: DriverConnection, queue: QueueSpec): Promise<WireDelivery | undefined> {
  if (connection.take === undefined) throw new Error("there is no take");
  return connection.take(queue);
}

function counts(connection: DriverConnection, queue: QueueSpec): Promise<{ readonly ready: number }> {
  if (connection.counts === undefined) throw new Error("there is no counts");
  return connection.counts(queue);
}

async function publish(connection: DriverConnection, queue: QueueSpec, ...bodies: string[]): Promise<void> {
  for (const body of bodies) await connection.publish({ kind: "queue", queue }, wire(body));
}

/** How many channels the broker has open, for everybody. */
async function openChannels(): Promise<number> {
  return Number(await brokerNode().control("eval", "length(rabbit_channel:list())."));
}

describe.each(["quorum", "classic"] as const)("taking from a %s queue", (queueType) => {
  it("says NOT_FOUND of a queue that is not there, declares nothing, and leaves everything else as it was", async () => {
    const link = await connectDriver({ queueType });
    const { connection } = link;
    const queue = testQueue("there");
    const missing: QueueSpec = { name: uniqueName("missing"), deadLetterQueue: undefined, lanes: false };
    await publish(connection, queue, "one", "two");
    const consumer = await take(connection, queue, { prefetch: 1 });
    const held = await takeOne(connection, queue);
    const before = await openChannels();
    for (let round = 0; round < 5; round += 1) {
      for (const attempt of [takeOne(connection, missing), counts(connection, missing)]) {
        const error = await refusal(link, attempt);
        expect([error.code, error.message]).toEqual(["NOT_FOUND", expect.stringContaining(missing.name)]);
      }
    }
    expect(await openChannels()).toBeLessThanOrEqual(before + 1);
    await expect((await operator()).untilReady(missing.name, 0, 1)).rejects.toThrow(/NOT_FOUND/);
    expect(link.lost).toEqual([]);
    expect(await held?.settle("ack")).toBe(true);
    expect(await (await consumer.at(0)).settle("ack")).toBe(true);
    expect(consumer.lost).toEqual([]);
    await (await operator()).untilReady(queue.name, 0);
  });

  it("keeps one idle channel at most, however many queues are looked at", async () => {
    const { connection } = await connectDriver({ queueType });
    const queues = Array.from({ length: 8 }, (_, index) => testQueue(`many ${index}`));
    for (const queue of queues) await publish(connection, queue, "one");
    const before = await openChannels();
    const [first] = queues;
    const held = first && (await takeOne(connection, first));
    for (const queue of queues.slice(1)) await (await takeOne(connection, queue))?.settle("release");
    expect(await openChannels()).toBeLessThanOrEqual(before + 3);
    expect(await held?.settle("release")).toBe(true);
    for (const queue of queues) expect(await takeOne(connection, queue)).toBeDefined();
  });

  it("loses with a deleted queue what was out of it, and nothing of another", async () => {
    const link = await connectDriver({ queueType });
    const { connection } = link;
    const [queue, other] = [testQueue("deleted"), testQueue("other")];
    await publish(connection, queue, "one");
    await publish(connection, other, "kept");
    const [gone, kept] = [await takeOne(connection, queue), await takeOne(connection, other)];
    await (await operator()).deleteQueue(queue.name);
    expect((await refusal(link, takeOne(connection, queue))).code).toBe("NOT_FOUND");
    expect(await gone?.settle("ack")).toBe(false);
    expect(await kept?.settle("ack")).toBe(true);
    expect(link.lost).toEqual([]);
    // It can come back.
    await connection.publish(
      { kind: "queue", queue: { ...queue, name: other.name, deadLetterQueue: `${other.name}.dead` } },
      wire("again"),
    );
    expect(bodyOf((await takeOne(connection, other)) ?? raise("nothing"))).toBe("again");
  });

  it("shows what the broker dead-lettered itself as dead-lettered, without its body kept when it is let go of", async () => {
    const { connection } = await connectDriver({ queueType });
    const queue = testQueue("expired");
    await connection.publish({ kind: "queue", queue }, wire("old", { expiresInMs: 50 }));
    await (await operator()).untilReady(`${queue.name}.dead`, 1);
    const dead = await takeOne(connection, deadLettersOf(queue));
    expect(dead?.message.headers).toMatchObject({ "dead-letter-reason": "expired", "dead-letter-queue": queue.name });
    expect(await dead?.place?.settle("release")).toBe(true);
    await (await operator()).untilReady(`${queue.name}.dead`, 1);
  });
});

describe("inspection of RabbitMQ", () => {
  it("goes through a thousand messages to find one, and leaves the rest", { timeout: 120_000 }, async () => {
    const queue = testQueue("thousands");
    const messaging = createMessaging({ driver: rabbitmqDriver({ url: brokerUrl }) });
    onTestFinished(() => messaging.close({ drainMs: 1_000 }));
    const count = 1_000;
    const body = new Uint8Array(1_000);
    for (let sent = 0; sent < count; sent += 500) {
      await Promise.all(
        Array.from({ length: 500 }, (_, index) =>
          messaging.queue(queue.name).publish({ body, messageId: `m${sent + index}` }),
        ),
      );
    }
    const { inspection } = messaging;
    const found = await inspection?.browse(queue.name, { messageIds: [`m${count - 1}`] });
    expect(found).toHaveLength(1);
    expect(await inspection?.remove(queue.name, { messageIds: ["m500"] })).toBe(1);
    await (await operator()).untilReady(queue.name, count - 1, 20_000);
  });
});

function raise(text: string): never {
  throw new Error(text);
}
