import { describe, expect, it, onTestFinished } from "vitest";
import { rabbitmqDriver } from "../../../adapters/rabbitmq/index.js";
import type { QueueSpec } from "../../../src/driver/index.js";
import type { Priority } from "../../../src/index.js";
import { brokerUrl, closeConsumingChannels, openOperator, uniqueName } from "./broker.js";
import { bodyOf, connectDriver, eventually, operator, refusal, take, wire } from "./rig.js";

const LANES = ["expedite", "standard", "bulk"] as const;

/** A queue with lanes of this test alone, deleted when the test ends. */
function testLanes(purpose: string): QueueSpec {
  const name = uniqueName(purpose);
  onTestFinished(async () => {
    const { deleteQueue, close } = await openOperator();
    for (const lane of LANES) await deleteQueue(`${name}.${lane}`);
    await close();
  });
  return { name, deadLetterQueue: undefined, lanes: true };
}

const to = (queue: QueueSpec, lane: Priority) => ({ kind: "queue", queue, lane }) as const;

describe("rabbitmq lanes", () => {
  it("are durable classic queues with transient messages, and nothing else is declared", async () => {
    const { connection } = await connectDriver({ queueType: "quorum" });
    const queue = testLanes("lanes");
    for (const lane of LANES) await connection.publish(to(queue, lane), wire(lane, { persistent: false }));
    const asOperator = await operator();
    for (const lane of LANES) {
      const name = `${queue.name}.${lane}`;
      await asOperator.declare(name, { durable: true, arguments: { "x-queue-type": "classic" } });
      const { content, properties } = await asOperator.take(name);
      expect(content.toString()).toBe(lane);
      expect(properties.deliveryMode).toBe(1);
    }
    const strict = await connectDriver({ topology: "check" });
    for (const name of [queue.name, `${queue.name}.dead`, `${queue.name}.bulk.dead`]) {
      const spec: QueueSpec = { name, deadLetterQueue: undefined, lanes: false };
      expect((await refusal(strict, take(strict.connection, spec))).code).toBe("NOT_FOUND");
    }
  });

  it("give a release straight back, ahead of what waits, without storing it anew or counting it", async () => {
    const { connection } = await connectDriver({ queueType: "quorum" });
    const queue = testLanes("release");
    const taking = await take(connection, queue, { prefetch: 1, lane: "bulk" });
    for (const body of ["one", "two"]) await connection.publish(to(queue, "bulk"), wire(body, { persistent: false }));
    for (let index = 0; index < 3; index += 1) {
      const delivery = await taking.at(index);
      expect([bodyOf(delivery), delivery.deliveries, delivery.redelivered]).toEqual(["one", undefined, index > 0]);
      expect(await delivery.settle(index < 2 ? "release" : "ack")).toBe(true);
    }
    const two = await taking.at(3);
    expect([bodyOf(two), two.redelivered]).toEqual(["two", false]);
    await two.settle("ack");
  });

  it("keep their prefetch exactly, however often it is changed", async () => {
    const { connection } = await connectDriver();
    const queue = testLanes("exact");
    const taking = await take(connection, queue, { prefetch: 0, lane: "standard" });
    for (let index = 0; index < 40; index += 1) {
      await connection.publish(to(queue, "standard"), wire(`${index}`, { persistent: false }));
    }
    const { untilReady } = await operator();
    let settled = 0;
    for (const prefetch of [3, 7, 8, 2, 5, 0, 1, 4]) {
      await taking.consumer.setPrefetch(prefetch);
      // What is out stays out when it is lowered.
      for (; taking.deliveries.length - settled > prefetch; settled += 1)
        await taking.deliveries[settled]?.settle("ack");
      await untilReady(`${queue.name}.standard`, 40 - settled - prefetch);
      await eventually(() => taking.deliveries.length >= settled + prefetch, `${prefetch} out`);
      expect(taking.deliveries).toHaveLength(settled + prefetch);
    }
  });

  it("refuse a queue that has the name of a lane, on a link that knows the lane too", async () => {
    const link = await connectDriver();
    const queue = testLanes("clash");
    await link.connection.publish(to(queue, "bulk"), wire("one", { persistent: false }));
    const name = `${queue.name}.bulk`;
    const plain: QueueSpec = { name, deadLetterQueue: undefined, lanes: false };
    const errors = await Promise.all([
      refusal(link, link.connection.publish({ kind: "queue", queue: plain }, wire("two"))),
      refusal(link, take(link.connection, plain)),
    ]);
    for (const error of errors) {
      expect(error.code).toBe("ALREADY_EXISTS");
      expect(error.message).toContain(`queue "${name}" is there with x-queue-type = classic, wanted is quorum`);
    }
  });

  it("are looked for, and not made, where somebody else declares", async () => {
    const queue = testLanes("declared");
    const checking = await connectDriver({ topology: "check" });
    const missing = await refusal(checking, take(checking.connection, queue, { lane: "bulk" }));
    expect(missing.code).toBe("NOT_FOUND");
    expect(missing.message).toContain(`${queue.name}.bulk`);
    const trusting = await connectDriver({ topology: "none" });
    const publish = trusting.connection.publish(to(queue, "bulk"), wire("one", { persistent: false }));
    expect((await refusal(trusting, publish)).code).toBe("UNROUTABLE");
  });

  it("are lost together by a consumer of all three, once, when the broker closes the channel of one", async () => {
    const link = await connectDriver(rabbitmqDriver({ url: brokerUrl, closeTimeoutMs: 2_000 }));
    const queue = testLanes("lost");
    const taking = await take(link.connection, queue, { prefetch: 1 });
    for (const lane of LANES) await link.connection.publish(to(queue, lane), wire(lane, { persistent: false }));
    await taking.at(2);
    await closeConsumingChannels(`${queue.name}.bulk`);
    await eventually(() => taking.lost.length > 0, "the loss");
    for (const delivery of taking.deliveries) {
      expect(await delivery.settle("release")).toBe(bodyOf(delivery) !== "bulk");
    }
    const again = await take(link.connection, queue, { prefetch: 1 });
    await again.at(2);
    expect(again.deliveries.map(bodyOf).sort()).toEqual(["bulk", "expedite", "standard"]);
    expect(again.deliveries.every(({ redelivered }) => redelivered)).toBe(true);
    expect([taking.lost.length, taking.deliveries.length, link.lost.length]).toEqual([1, 3, 0]);
  });
});
