import { describe, expect, it } from "vitest";
import { memoryBroker } from "../../../adapters/memory/index.js";
import type { QueueSpec } from "../../../src/driver/index.js";
import type { Priority } from "../../../src/index.js";
import { message, openNode, Taker, turns, until } from "./node.js";

const REQUESTS: QueueSpec = { name: "requests", deadLetterQueue: undefined, lanes: true };
const to = (lane: Priority) => ({ kind: "queue", queue: REQUESTS, lane }) as const;

describe("memory: queues with lanes", () => {
  it("keeps each lane as a queue of its own, and makes no dead letters", async () => {
    const broker = memoryBroker();
    const node = await openNode({ broker });
    await node.connection.publish(to("bulk"), message("1"));
    await node.connection.publish(to("bulk"), message("2", { priority: "expedite" }));
    await node.connection.publish(to("standard"), message("3"));
    expect(broker.count("requests.bulk")).toMatchObject({ ready: 2 });
    expect(broker.count("requests.standard")).toMatchObject({ ready: 1 });
    for (const name of ["requests", "requests.expedite", "requests.dead", "requests.bulk.dead"]) {
      expect(broker.count(name)).toBeUndefined();
    }
    const taker = await Taker.start(node.connection, 5, REQUESTS, "bulk");
    expect(await taker.taken(2)).toEqual(["1", "2"]);
  });

  it("refuses a queue that has the name of a lane, and a lane that has the name of a queue", async () => {
    const node = await openNode();
    await node.connection.publish(to("bulk"), message("1"));
    const plain = { name: "requests.bulk", deadLetterQueue: undefined, lanes: false };
    const publish = node.connection.publish({ kind: "queue", queue: plain }, message("2"));
    await expect(publish).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
      message: expect.stringMatching(/requests\.bulk is there as a lane/),
    });
    await node.connection.publish({ kind: "queue", queue: { ...plain, name: "requests.expedite" } }, message("3"));
    const lane = Taker.start(node.connection, 1, REQUESTS, "expedite");
    await expect(lane).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
      message: expect.stringMatching(/requests\.expedite is there and is no/),
    });
    // One of three fails: none is left behind.
    await expect(node.consume(1, REQUESTS)).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    const taker = await Taker.start(node.connection, 1, REQUESTS, "bulk");
    expect(await taker.taken(1)).toEqual(["1"]);
  });

  it("loses a consumer of all lanes once, and wholly, when one of its lanes is lost", async () => {
    const broker = memoryBroker();
    const node = await openNode({ broker });
    const taker = await node.consume(1, REQUESTS);
    for (const lane of ["bulk", "standard", "expedite"] as const) {
      await node.connection.publish(to(lane), message(lane));
    }
    expect((await taker.taken(3)).sort()).toEqual(["bulk", "expedite", "standard"]);
    broker.dropConsumers("requests.bulk");
    await until(() => taker.lost.length > 0);
    broker.dropConsumers("requests.standard");
    await node.connection.publish(to("expedite"), message("later"));
    // What is out of the other two can still be settled; nothing new comes.
    const settled = await Promise.all(taker.deliveries.map((delivery) => delivery.settle("ack")));
    await turns();
    expect(settled.filter((reached) => reached)).toHaveLength(1);
    expect(taker.lost).toHaveLength(1);
    expect(taker.deliveries).toHaveLength(3);
    expect(broker.count("requests.expedite")).toMatchObject({ ready: 1, unsettled: 0 });
    await taker.consumer.stop();
    expect(node.lost).toEqual([]);
  });

  it("bounds each lane by itself", async () => {
    const broker = memoryBroker({ maxQueueMessages: 2 });
    const node = await openNode({ broker });
    for (const id of ["1", "2"]) await node.connection.publish(to("bulk"), message(id));
    await expect(node.connection.publish(to("bulk"), message("3"))).rejects.toMatchObject({ code: "REJECTED" });
    await node.connection.publish(to("expedite"), message("4"));
  });
});
