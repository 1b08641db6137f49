import { describe, expect, it } from "vitest";
import { closeConsumingChannels } from "./broker.js";
import { lateFrames } from "./late-frames-proxy.js";
import { connectDriver, eventually, operator, refusal, take, testQueue, wire } from "./rig.js";

describe("frames that come late, for a channel that the broker has closed", () => {
  it("cost nothing: neither the connection, nor the channels that are opened next", async () => {
    const proxy = await lateFrames();
    const link = await connectDriver({ url: proxy.url, topology: "none" });
    const { declare } = await operator();
    const [queue, missing] = [testQueue("late frames"), testQueue("missing")];
    await declare(queue.name);
    const other = await take(link.connection, queue);
    for (let loss = 0; loss < 5; loss += 1) {
      expect((await refusal(link, take(link.connection, missing))).code).toBe("NOT_FOUND");
    }
    const again = await take(link.connection, queue);
    expect(new Set(proxy.closed).size).toBe(5);
    expect(proxy.late).toBeGreaterThan(5);
    await link.connection.publish({ kind: "queue", queue }, wire("one"));
    await link.connection.publish({ kind: "queue", queue }, wire("two"));
    await eventually(() => other.deliveries.length + again.deliveries.length === 2, "both messages");
    expect([link.lost, other.lost, again.lost]).toEqual([[], [], []]);
  });

  it("cost nothing either while a consumer has deliveries under way: it alone is lost", async () => {
    const proxy = await lateFrames();
    const link = await connectDriver({ url: proxy.url });
    const queue = testQueue("late deliveries");
    const taking = await take(link.connection, queue, { prefetch: 2 });
    await link.connection.publish({ kind: "queue", queue }, wire("one"));
    await taking.at(0);
    await closeConsumingChannels(queue.name);
    await eventually(() => taking.lost.length === 1, "the loss");
    const again = await take(link.connection, queue);
    expect((await again.at(0)).redelivered).toBe(true);
    expect([taking.deliveries.length, again.deliveries.length, link.lost]).toEqual([1, 1, []]);
  });
});
