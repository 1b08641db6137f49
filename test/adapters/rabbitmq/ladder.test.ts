import { describe, expect, it } from "vitest";
import { RabbitmqDriver } from "../../../adapters/rabbitmq/driver.js";
import { DelayLadder, encodedTarget } from "../../../adapters/rabbitmq/ladder.js";
import { resolveRabbitmqOptions } from "../../../adapters/rabbitmq/options.js";
import { DEAD_QUEUE_HEADER, DEAD_REASON_HEADER, FAILURES_HEADER, type QueueSpec } from "../../../src/driver/index.js";
import { brokerUrl } from "./broker.js";
import { type Pulse, startPulse } from "./pulse.js";
import { bodyOf, connectDriver, deadLettersOf, eventually, operator, take, testQueue, wire } from "./rig.js";

/** Beyond the whole seconds: the clock's grain before, the ladder's levels after. */
const EARLY_MS = 5;
const LATE_MS = 3_000;

/** No later than raw messages in the same seconds, but for what the levels take. */
function expectOnTime(ms: number, delayMs: number, pulse: Pulse): void {
  expect(ms).toBeGreaterThanOrEqual(delayMs - EARLY_MS);
  expect(ms - pulse.lateMs()).toBeLessThan(Math.ceil(delayMs / 1_000) * 1_000 + LATE_MS);
}

describe("rabbitmq delay ladder", () => {
  it("routes by the set bits, to a target that is one word", () => {
    const ladder = new DelayLadder("test", 4);
    expect(ladder.maxSeconds).toBe(15);
    expect(ladder.route(1, "orders")).toEqual({
      exchange: "test.00",
      routingKey: `0.0.0.1.${encodedTarget("orders")}`,
    });
    expect(ladder.route(10, "a.b")).toEqual({ exchange: "test.03", routingKey: `1.0.1.0.${encodedTarget("a.b")}` });
    expect(ladder.owns("test.03")).toBe(true);
    expect(ladder.owns("testing")).toBe(false);
  });

  it("encodes every name as one short word, each as its own", () => {
    const names = ["a.b", "a b", "a.*.b", "#", "*", "ż".repeat(75), "x".repeat(150), "x".repeat(151), "x".repeat(152)];
    const words = names.map(encodedTarget);
    expect(new Set(words).size).toBe(names.length);
    for (const [index, word] of words.entries()) {
      expect(word).toMatch(/^[\w~-]+$/);
      expect(new DelayLadder().route(2 ** 26 - 1, names[index] ?? "").routingKey.length).toBeLessThanOrEqual(255);
    }
  });

  it("delivers mixed delays of one to six seconds on time, each to its queue, whatever dots are in the names", async () => {
    const pulse = await startPulse();
    const { connection } = await connectDriver();
    const queues = ["delay", "delay.dots", "delay.dots.more", "delay.*.#"].map(testQueue);
    const takings = await Promise.all(
      queues.map((queue) => take(connection, queue, { settle: (delivery) => void delivery.settle("ack") })),
    );
    const arrivals = new Map<string, number>();
    const started = new Map<string, number>();
    for (const [index, queue] of queues.entries()) {
      for (const delayMs of [1_000, 1_001, 2_000, 3_000, 3_500, 5_000, 6_000]) {
        const id = `${index}:${delayMs}`;
        started.set(id, performance.now());
        const message = wire(String(delayMs), { messageId: id, delayMs, headers: { kept: "yes" } });
        await connection.publish({ kind: "queue", queue }, message);
      }
    }
    await eventually(
      () => {
        for (const { deliveries } of takings) {
          for (const { message } of deliveries) {
            if (!arrivals.has(message.messageId)) arrivals.set(message.messageId, performance.now());
          }
        }
        return arrivals.size === started.size;
      },
      "28 messages",
      30_000,
    );
    for (const [index, { deliveries }] of takings.entries()) {
      expect(deliveries).toHaveLength(7);
      for (const delivery of deliveries) {
        const { messageId, headers } = delivery.message;
        expect(messageId).toBe(`${index}:${bodyOf(delivery)}`);
        expect(headers).toEqual({ kept: "yes" });
        expect(delivery.redelivered).toBe(false);
        expect(delivery.deliveries).toBe(1);
        expectOnTime((arrivals.get(messageId) ?? 0) - (started.get(messageId) ?? 0), Number(bodyOf(delivery)), pulse);
      }
    }
  });

  it("brings a message back twice after three seconds each, with the headers of the retry, from either type of queue", async () => {
    const pulse = await startPulse();
    const retryTwice = async (queueType: "quorum" | "classic"): Promise<void> => {
      const { connection } = await connectDriver({ queueType });
      const queue = testQueue("retry");
      const { at, deliveries } = await take(connection, queue);
      await connection.publish({ kind: "queue", queue }, wire("one", { messageId: "id", headers: { old: "1" } }));
      for (const failures of [1, 2]) {
        const delivery = await at(failures - 1);
        const started = performance.now();
        const headers = { [FAILURES_HEADER]: String(failures), kept: "yes" };
        expect(await delivery.settle({ retryInMs: 3_000, headers })).toBe(true);
        const again = await at(failures);
        expectOnTime(performance.now() - started, 3_000, pulse);
        expect(again.message.messageId).toBe("id");
        expect(again.message.headers).toEqual(headers);
      }
      expect(deliveries).toHaveLength(3);
    };
    await Promise.all([retryTwice("quorum"), retryTwice("classic")]);
  });

  it("sends a delay that is longer than the ladder round again", async () => {
    const pulse = await startPulse();
    const options = resolveRabbitmqOptions({ url: brokerUrl, closeTimeoutMs: 2_000 });
    const { connection } = await connectDriver(new RabbitmqDriver(options, new DelayLadder("fairlead.test-ladder", 1)));
    const { deleteQueue, deleteExchange } = await operator();
    const queue = testQueue("longer");
    const { at } = await take(connection, queue);
    const started = performance.now();
    await connection.publish({ kind: "queue", queue }, wire("late", { delayMs: 3_200, headers: { kept: "yes" } }));
    const delivery = await at(0);
    expectOnTime(performance.now() - started, 3_200, pulse);
    expect(delivery.message.headers).toEqual({ kept: "yes" });
    await deleteQueue("fairlead.test-ladder.00");
    await deleteExchange("fairlead.test-ladder.00");
    await deleteExchange("fairlead.test-ladder.delivery");
  });

  it("enforces an expiry on arrival, does not let it cut the delay short, and keeps it through a retry", async () => {
    const pulse = await startPulse();
    const { connection } = await connectDriver();
    const queue = testQueue("expiry");
    const { at, deliveries } = await take(connection, queue);
    const started = performance.now();
    const publish = (body: string, delayMs: number, expiresInMs: number): Promise<void> =>
      connection.publish({ kind: "queue", queue }, wire(body, { delayMs, expiresInMs, headers: { kept: body } }));
    await publish("too late", 1_000, 500);
    await publish("in time", 1_000, 20_000);
    await publish("once", 1_000, 8_000);
    await at(1);
    expectOnTime(performance.now() - started, 1_000, pulse);
    const once = deliveries.find((delivery) => bodyOf(delivery) === "once");
    await once?.settle({ retryInMs: 8_000, headers: { kept: "once", [FAILURES_HEADER]: "1" } });
    const dead = await take(connection, deadLettersOf(queue));
    await dead.at(1);
    expect(dead.deliveries.map((delivery) => delivery.message.headers.kept)).toEqual(["too late", "once"]);
    for (const { message } of dead.deliveries) {
      expect(message.headers[DEAD_REASON_HEADER]).toBe("expired");
      expect(message.headers[DEAD_QUEUE_HEADER]).toBe(queue.name);
      expect(message.headers[FAILURES_HEADER]).toBeUndefined();
    }
    expect(deliveries.map(bodyOf).sort()).toEqual(["in time", "once"]);
  });

  it("is made again when it was deleted, and then goes on", async () => {
    const { connection } = await connectDriver();
    const { deleteQueue } = await operator();
    const queue = testQueue("deleted ladder");
    const { at } = await take(connection, queue);
    await connection.publish({ kind: "queue", queue }, wire("first", { delayMs: 1_000 }));
    await at(0);
    await deleteQueue("fairlead.delay.v1.00");
    await connection.publish({ kind: "queue", queue }, wire("second", { delayMs: 1_000 }));
    expect(bodyOf(await at(1))).toBe("second");
  });

  it("is made again when one of its exchanges was deleted, and takes no other publish down for good", async () => {
    const { connection } = await connectDriver();
    const { deleteExchange } = await operator();
    const queue = testQueue("deleted exchange");
    const { at } = await take(connection, queue);
    await connection.publish({ kind: "queue", queue }, wire("first", { delayMs: 1_000 }));
    await at(0);
    await deleteExchange("fairlead.delay.v1.00");
    await connection.publish({ kind: "queue", queue }, wire("second", { delayMs: 1_000 }));
    expect(bodyOf(await at(1))).toBe("second");
  });

  it("is made again when its delivery exchange was deleted, whole, for a consumer and for a delay alike", async () => {
    const { connection, lost } = await connectDriver();
    const { deleteExchange } = await operator();
    const [first, second, third] = [testQueue("first"), testQueue("second"), testQueue("third")];
    const [atFirst, atThird] = [await take(connection, first), await take(connection, third)];
    const delayed = (queue: QueueSpec, body: string, delayMs: number): Promise<void> =>
      connection.publish({ kind: "queue", queue }, wire(body, { delayMs }));
    await delayed(first, "as ever", 1_000);
    await atFirst.at(0);
    await deleteExchange("fairlead.delay.v1.delivery");
    const atSecond = await take(connection, second);
    // Even seconds pass the lowest level without a stay, on a way of their own.
    await Promise.all([delayed(second, "odd", 1_000), delayed(second, "even", 2_000)]);
    await atSecond.at(1);
    await deleteExchange("fairlead.delay.v1.delivery");
    await Promise.all([delayed(third, "odd", 1_000), delayed(third, "even", 2_000)]);
    await atThird.at(1);
    for (const { deliveries } of [atSecond, atThird]) expect(deliveries.map(bodyOf).sort()).toEqual(["even", "odd"]);
    expect([...atFirst.lost, ...lost]).toEqual([]);
  });

  it("is not held up by what was delayed for a queue that is gone: that is kept apart", async () => {
    const { connection } = await connectDriver();
    const { deleteQueue, take: takeOut } = await operator();
    const [gone, other] = [testQueue("gone"), testQueue("other")];
    const { at } = await take(connection, other);
    const bodies = Array.from({ length: 40 }, (_, index) => `for nobody ${index}`);
    await Promise.all(
      bodies.map((body) => connection.publish({ kind: "queue", queue: gone }, wire(body, { delayMs: 1_000 }))),
    );
    await deleteQueue(gone.name);
    await connection.publish({ kind: "queue", queue: other }, wire("goes on", { delayMs: 1_000 }));
    expect(bodyOf(await at(0))).toBe("goes on");
    for (const _ of bodies) await takeOut("fairlead.delay.v1.undeliverable", 10_000);
  });

  it("finds a queue that was deleted and declared anew by its consumer", async () => {
    const { connection } = await connectDriver();
    const { deleteQueue } = await operator();
    const queue = testQueue("declared anew");
    const taking = await take(connection, queue, { settle: (delivery) => void delivery.settle("ack") });
    await connection.publish({ kind: "queue", queue }, wire("first", { delayMs: 1_000 }));
    await taking.at(0);
    await deleteQueue(queue.name);
    await eventually(() => taking.lost.length === 1, "the loss");
    const again = await take(connection, queue);
    await connection.publish({ kind: "queue", queue }, wire("second", { delayMs: 1_000 }));
    expect(bodyOf(await again.at(0))).toBe("second");
  });
});
