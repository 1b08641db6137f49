import { describe, expect, it } from "vitest";
import type { QueueSpec, WireDelivery } from "../../../src/driver/index.js";
import { message, newFile, openNode, until } from "./node.js";

const CALLS: QueueSpec = { name: "calls", deadLetterQueue: undefined, lanes: true };
const toCalls = { kind: "queue", queue: CALLS } as const;

describe("queues with lanes", () => {
  it("hold so much and no more, and what has expired makes room", async () => {
    const node = await openNode({ file: newFile() });
    const publish = (id: string, expiresInMs?: number) =>
      node.connection.publish(toCalls, message(id, { persistent: false, expiresInMs }));
    await publish("old", 1);
    await Promise.all(Array.from({ length: 99_999 }, (_, index) => publish(`m-${index}`)));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await publish("in its place");
    await expect(publish("too many")).rejects.toMatchObject({
      code: "REJECTED",
      message: expect.stringContaining("queue calls.standard is full"),
    });
    const other = node.connection.publish({ ...toCalls, lane: "bulk" }, message("of another lane"));
    await expect(other).resolves.toBeUndefined();
  });

  it("are in no file, outlive the last connection, and are forgotten when they are empty", async () => {
    const file = newFile();
    const first = await openNode({ file });
    await first.connection.publish(toCalls, message("one"));
    expect(first.broker.database.query("SELECT count(*) FROM messages").first()).toEqual([0]);
    await first.connection.close();
    const node = await openNode({ file });
    expect(node.broker).not.toBe(first.broker);
    const ids: string[] = [];
    await node.connection.consume(
      CALLS,
      { prefetch: 1 },
      (delivery) => {
        ids.push(delivery.message.messageId);
        void delivery.settle("ack");
      },
      () => {},
    );
    await until(() => ids.length === 1);
    expect(node.broker.lanes.sweep()).toBe(true);
  });

  it("keep what was handed out of them when the file fails", async () => {
    const file = newFile();
    const first = await openNode({ file });
    await (await first.take(1, CALLS)).consumer.stop();
    const taking = await first.take(1, CALLS);
    await first.connection.publish(toCalls, message("one"));
    await taking.at(0);
    first.broker.failed(new Error("the disk failed"));
    const node = await openNode({ file });
    const deliveries: WireDelivery[] = [];
    await node.connection.consume(
      CALLS,
      { prefetch: 1 },
      (delivery) => deliveries.push(delivery),
      () => {},
    );
    await until(() => deliveries.length === 1);
    expect([deliveries[0]?.message.messageId, deliveries[0]?.deliveries]).toEqual(["one", 2]);
  });
});
