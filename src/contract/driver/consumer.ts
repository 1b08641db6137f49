import assert from "node:assert";
import type { ContractCase } from "../case.js";
import { numbered } from "../text.js";
import { draw, drawn, send, settle, spec } from "./steps.js";

/** Flow, stopping, and what is out when something ends. */
export const driverConsumerCases: readonly ContractCase[] = [
  {
    id: "D-10",
    sentence: "no more than prefetch messages are out unsettled: the rest goes to another consumer",
    async run(context) {
      const queue = spec(context, "prefetch");
      const link = await context.link();
      const first = await draw(context, link, queue, 3);
      await send(context, link.connection, queue, ...numbered("m", 8));
      await first.out.count(3);
      const second = await draw(context, await context.link(), queue, 10);
      await second.out.count(5);
      assert.equal(first.out.items.length, 3);
      await context.soon(second.consumer.stop(), "stop");
      await settle(context, await first.out.at(0));
      await send(context, link.connection, queue, "next", "too many");
      await first.out.count(4);
      assert.equal((await first.out.at(3)).text, "next");
      const third = await draw(context, await context.link(), queue, 10);
      await third.out.count(1);
      assert.deepEqual(drawn(third.out), ["too many"]);
    },
  },
  {
    id: "D-11",
    sentence: "setPrefetch raises what may be out",
    async run(context) {
      const queue = spec(context, "raise");
      const link = await context.link();
      const { consumer, out } = await draw(context, link, queue, 1);
      await send(context, link.connection, queue, ...numbered("m", 5));
      await out.count(1);
      await context.soon(consumer.setPrefetch(4), "setPrefetch(4)");
      await out.count(4);
      const other = await draw(context, await context.link(), queue, 10);
      await other.out.count(1);
      assert.deepEqual([...drawn(out), ...drawn(other.out)].sort(), numbered("m", 5));
    },
  },
  {
    id: "D-12",
    sentence:
      "setPrefetch lowers it: what is out stays out and can be settled, and nothing new comes until it is below",
    async run(context) {
      const queue = spec(context, "lower");
      const link = await context.link();
      const { consumer, out } = await draw(context, link, queue, 3);
      await send(context, link.connection, queue, ...numbered("m", 3));
      await out.count(3);
      await context.soon(consumer.setPrefetch(1), "setPrefetch(1)");
      await settle(context, await out.at(0));
      await settle(context, await out.at(1));
      await send(context, link.connection, queue, "for another");
      const other = await draw(context, await context.link(), queue, 10);
      await other.out.count(1);
      await context.soon(other.consumer.stop(), "stop");
      assert.equal(out.items.length, 3);
      await settle(context, await out.at(2));
      await send(context, link.connection, queue, "next");
      assert.equal((await out.at(3)).text, "next");
    },
  },
  {
    id: "D-13",
    sentence: "setPrefetch(0) takes nothing new, what is out can be settled, and raised again it goes on",
    async run(context) {
      const queue = spec(context, "none");
      const link = await context.link();
      const { consumer, out } = await draw(context, link, queue, 2);
      await send(context, link.connection, queue, "one");
      const first = await out.at(0);
      await context.soon(consumer.setPrefetch(0), "setPrefetch(0)");
      const other = await draw(context, await context.link(), queue, 10);
      await send(context, link.connection, queue, "two", "three");
      await other.out.count(2);
      await settle(context, first);
      await context.soon(other.consumer.stop(), "stop");
      await context.soon(consumer.setPrefetch(2), "setPrefetch(2)");
      await send(context, link.connection, queue, "four");
      assert.equal((await out.at(1)).text, "four");
    },
  },
  {
    id: "D-14",
    sentence: "a consumer may begin with prefetch 0 and is given nothing until it is raised",
    async run(context) {
      const queue = spec(context, "from-none");
      const link = await context.link();
      const { consumer, out } = await draw(context, link, queue, 0);
      const other = await draw(context, await context.link(), queue, 10);
      await send(context, link.connection, queue, "one", "two");
      await other.out.count(2);
      assert.equal(out.items.length, 0);
      await context.soon(other.consumer.stop(), "stop");
      await context.soon(consumer.setPrefetch(1), "setPrefetch(1)");
      await send(context, link.connection, queue, "three");
      assert.equal((await out.at(0)).text, "three");
    },
  },
  {
    id: "D-15",
    sentence: "after stop there is no further delivery; others get the messages",
    async run(context) {
      const queue = spec(context, "stop");
      const link = await context.link();
      const first = await draw(context, link, queue, 10);
      await send(context, link.connection, queue, "one");
      await settle(context, await first.out.at(0));
      await context.soon(first.consumer.stop(), "stop");
      const second = await draw(context, await context.link(), queue, 10);
      await send(context, link.connection, queue, ...numbered("m", 5));
      await second.out.count(5);
      assert.deepEqual(drawn(first.out), ["one"]);
      assert.equal(first.lost.items.length, 0, "a stop is no loss");
      await context.soon(first.consumer.stop(), "a second stop");
    },
  },
  {
    id: "D-16",
    sentence:
      "what is out when its consumer stops can still be settled: acknowledged, it is gone; released, it comes again",
    async run(context) {
      const queue = spec(context, "settle-after-stop");
      const link = await context.link();
      const first = await draw(context, link, queue, 2);
      await send(context, link.connection, queue, "acked", "released");
      const [acked, released] = await first.out.count(2);
      await context.soon(first.consumer.stop(), "stop");
      assert.ok(acked !== undefined && released !== undefined);
      await settle(context, acked);
      await settle(context, released, "release");
      const second = await draw(context, await context.link(), queue, 10);
      await send(context, link.connection, queue, "marker");
      await second.out.find((item) => item.text === "marker", "the marker");
      assert.deepEqual(drawn(second.out), ["released", "marker"]);
    },
  },
  {
    id: "D-17",
    sentence:
      "unsettled messages come again after close, marked as redelivered, with the count raised where there is one",
    async run(context) {
      const queue = spec(context, "unsettled");
      const first = await context.link();
      const { out } = await draw(context, first, queue, 5);
      await send(context, first.connection, queue, "one", "two");
      await out.count(2);
      await context.soon(first.connection.close(), "close");
      assert.equal(first.lost.items.length, 0, "a close that was asked for is no loss");
      const second = await draw(context, await context.link(), queue, 5);
      await second.out.count(2);
      assert.deepEqual(drawn(second.out).sort(), ["one", "two"]);
      for (const { delivery } of second.out.items) {
        assert.equal(delivery.redelivered, true);
        assert.ok(
          delivery.deliveries === undefined || delivery.deliveries >= 2,
          `deliveries is ${delivery.deliveries}`,
        );
      }
    },
  },
  {
    id: "D-18",
    sentence: "settle says false once the connection is closed, and does not reject",
    async run(context) {
      const queue = spec(context, "settle-late");
      const link = await context.link();
      const { out } = await draw(context, link, queue, 5);
      await send(context, link.connection, queue, "one");
      const { delivery } = await out.at(0);
      await context.soon(link.connection.close(), "close");
      assert.equal(await context.soon(delivery.settle("ack"), "settle after close"), false);
      const again = await draw(context, await context.link(), queue, 5);
      await again.out.count(1);
    },
  },
  {
    id: "D-19",
    sentence: "close flushes the settlements that were handed over: what was acknowledged does not come again",
    async run(context) {
      const queue = spec(context, "flush");
      const link = await context.link();
      const { out } = await draw(context, link, queue, 20);
      await send(context, link.connection, queue, ...numbered("m", 20));
      await out.count(20);
      const settling = Promise.all(out.items.map(({ delivery }) => delivery.settle("ack")));
      await context.soon(link.connection.close(), "close");
      const reached = await context.soon(settling, "the settlements");
      assert.ok(
        reached.every((value) => value),
        "a settlement that was handed over before close was not flushed",
      );
      const other = await context.link();
      await send(context, other.connection, queue, "marker");
      const again = await draw(context, other, queue, 20);
      await again.out.find((item) => item.text === "marker", "the marker");
      assert.deepEqual(drawn(again.out), ["marker"]);
    },
  },
  {
    id: "D-20",
    sentence: "settle says false once the connection is lost, and the message comes again",
    needs: ["dropConnections"],
    async run(context) {
      const queue = spec(context, "settle-lost");
      const link = await context.link();
      const { out } = await draw(context, link, queue, 5);
      await send(context, link.connection, queue, "one");
      const { delivery } = await out.at(0);
      await context.dropConnections();
      await link.lost.count(1);
      assert.equal(await context.soon(delivery.settle("ack"), "settle after the loss"), false);
      const again = await draw(context, await context.link(), queue, 5);
      assert.equal((await again.out.at(0)).delivery.redelivered, true);
    },
  },
  {
    id: "D-21",
    sentence: "a consumer whose queue is deleted tells its loss, once, and not after stop",
    needs: ["deleteQueue"],
    async run(context) {
      const queue = spec(context, "deleted");
      const link = await context.link();
      const { consumer, lost } = await draw(context, link, queue, 5);
      const stopped = await draw(context, link, queue, 5);
      await context.soon(stopped.consumer.stop(), "stop");
      await context.soon(context.fault("deleteQueue")(queue.name), "deleteQueue", context.faultMs);
      await lost.count(1);
      await context.soon(consumer.stop(), "stop of what is lost");
      const anew = await draw(context, link, queue, 5);
      await send(context, link.connection, queue, "one");
      await anew.out.count(1);
      assert.equal(lost.items.length, 1);
      assert.equal(stopped.lost.items.length, 0);
      assert.equal(link.lost.items.length, 0, "the connection was lost with the queue");
    },
  },
  {
    id: "D-55",
    sentence:
      "a delivery can be settled by its place, where it has one, without its message: acked it is gone, released it comes again",
    async run(context) {
      const queue = spec(context, "place");
      const link = await context.link();
      const { out } = await draw(context, link, queue, 2);
      await send(context, link.connection, queue, "one", "two");
      const [one, two] = (await out.count(2)).map(({ delivery }) => delivery.place ?? delivery);
      assert.ok(one !== undefined && two !== undefined);
      assert.equal(await context.soon(one.settle("ack"), "ack"), true);
      assert.equal(await context.soon(two.settle("release"), "release"), true);
      const again = await out.at(2);
      assert.equal(again.text, "two");
      assert.equal(again.delivery.redelivered, true);
      await settle(context, again);
      await send(context, link.connection, queue, "three");
      await out.at(3);
      assert.deepEqual(drawn(out), ["one", "two", "two", "three"]);
    },
  },
];
