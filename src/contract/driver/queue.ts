import assert from "node:assert";
import { DEAD_QUEUE_HEADER, DEAD_REASON_HEADER, FAILURES_HEADER } from "../../driver/index.js";
import type { ContractCase } from "../case.js";
import { CLOCK_GRAIN_MS } from "../probe.js";
import { bytes, numbered } from "../text.js";
import { deadLettersOf, draw, drawn, send, settle, spec, wire } from "./steps.js";

/** Publishing to queues, and what travels. */
export const driverQueueCases: readonly ContractCase[] = [
  {
    id: "D-01",
    sentence: "publish to a queue resolves once it is stored: it outlives the connection",
    async run(context) {
      const queue = spec(context, "stored");
      const sender = await context.link();
      await send(context, sender.connection, queue, "one");
      await context.soon(sender.connection.close(), "close");
      const { out } = await draw(context, await context.link(), queue, 1);
      assert.equal((await out.at(0)).text, "one");
    },
  },
  {
    id: "D-02",
    sentence: "every field of a message arrives unchanged; what was left out stays left out",
    async run(context) {
      const queue = spec(context, "fields");
      const link = await context.link();
      const { out } = await draw(context, link, queue, 2);
      const full = wire("one", {
        messageId: "id-ż",
        type: "frame",
        correlationId: "corr-ż",
        replyTo: "reply-address",
        contentType: "application/json",
        headers: { Ünïcode: "żółć 🚚", empty: "", number: "0042", [FAILURES_HEADER]: "3" },
        timestamp: Math.floor(Date.now() / 1_000) * 1_000,
      });
      await context.soon(link.connection.publish({ kind: "queue", queue }, full), "publish");
      await send(context, link.connection, queue, "two");
      const [first, second] = await out.count(2);
      assert.ok(first !== undefined && second !== undefined);
      const { message } = first.delivery;
      for (const key of ["messageId", "type", "correlationId", "replyTo", "contentType", "timestamp"] as const) {
        assert.equal(message[key], full[key], key);
      }
      assert.deepEqual({ ...message.headers }, full.headers);
      assert.equal(Buffer.compare(message.body, full.body), 0);
      for (const key of ["type", "correlationId", "replyTo"] as const) {
        assert.equal(second.delivery.message[key], undefined, key);
      }
      assert.deepEqual({ ...second.delivery.message.headers }, {});
      assert.equal(first.delivery.redelivered, false);
      assert.ok([1, undefined].includes(first.delivery.deliveries), "deliveries is 1 at first, or not counted");
    },
  },
  {
    id: "D-03",
    sentence: "concurrent publishes keep their order",
    where: { "queue.ordering": ["until-requeue", "strict"] },
    async run(context) {
      const queue = spec(context, "order");
      const link = await context.link();
      const { out } = await draw(context, link, queue, 50, ({ delivery }) => void delivery.settle("ack"));
      const bodies = numbered("m", 200);
      const publishing = bodies.map((body) => link.connection.publish({ kind: "queue", queue }, wire(body)));
      await context.soon(Promise.all(publishing), "200 publishes at once");
      await out.count(200);
      assert.deepEqual(drawn(out), bodies);
    },
  },
  {
    id: "D-04",
    sentence:
      "retry brings the message back under its messageId, with the given headers in place of the old, not before its time",
    async run(context) {
      const queue = spec(context, "retry");
      const link = await context.link();
      const { out } = await draw(context, link, queue, 1);
      const more = { messageId: "id-1", correlationId: "corr-1", type: "frame", headers: { old: "gone", both: "old" } };
      await context.soon(link.connection.publish({ kind: "queue", queue }, wire("one", more)), "publish");
      const headers = { both: "new", [FAILURES_HEADER]: "1" };
      await settle(context, await out.at(0), { retryInMs: 0, headers });
      const again = await out.at(1);
      assert.equal(again.text, "one");
      const { message } = again.delivery;
      assert.equal(message.messageId, "id-1");
      assert.equal(message.correlationId, "corr-1");
      assert.equal(message.type, "frame");
      assert.deepEqual({ ...message.headers }, headers);
      if (context.capabilities.queue.delayedDelivery) {
        const settledAt = performance.now();
        await settle(context, again, { retryInMs: 1_000, headers: { ...headers, [FAILURES_HEADER]: "2" } });
        const third = await out.at(2, 1_000);
        assert.ok(
          third.at - settledAt >= 1_000 - CLOCK_GRAIN_MS,
          `came after ${third.at - settledAt} ms instead of 1,000`,
        );
        assert.equal(third.delivery.message.messageId, "id-1");
        assert.deepEqual({ ...third.delivery.message.headers }, { both: "new", [FAILURES_HEADER]: "2" });
      }
    },
  },
  {
    id: "D-05",
    sentence: "release brings the message back with its headers as they were, marked as redelivered",
    async run(context) {
      const queue = spec(context, "release");
      const link = await context.link();
      const { out } = await draw(context, link, queue, 1);
      const headers = { kept: "yes", [FAILURES_HEADER]: "2" };
      const message = wire("one", { messageId: "id-1", headers });
      await context.soon(link.connection.publish({ kind: "queue", queue }, message), "publish");
      await settle(context, await out.at(0), "release");
      const again = await out.at(1);
      assert.equal(again.delivery.message.messageId, "id-1");
      assert.deepEqual({ ...again.delivery.message.headers }, headers);
      assert.equal(again.delivery.redelivered, true);
    },
  },
  {
    id: "D-06",
    sentence: "deadLetter moves the message to the dead-letter queue, under its messageId, with the given headers",
    where: { "queue.deadLetter": true },
    async run(context) {
      const queue = spec(context, "dead");
      const link = await context.link();
      const { out } = await draw(context, link, queue, 1);
      const message = wire("one", { messageId: "id-1", correlationId: "corr-1", headers: { old: "gone" } });
      await context.soon(link.connection.publish({ kind: "queue", queue }, message), "publish");
      const headers = { [DEAD_REASON_HEADER]: "because", kept: "yes" };
      await settle(context, await out.at(0), { deadLetter: headers });
      const dead = await draw(context, link, deadLettersOf(queue), 1);
      const { delivery, text } = await dead.out.at(0);
      assert.equal(text, "one");
      assert.equal(delivery.message.messageId, "id-1");
      assert.equal(delivery.message.correlationId, "corr-1");
      assert.deepEqual({ ...delivery.message.headers }, headers);
      await send(context, link.connection, queue, "marker");
      assert.equal((await out.at(1)).text, "marker", "the message is still in its queue");
    },
  },
  {
    id: "D-07",
    sentence:
      "a message that expires comes to the dead-letter queue with the reason expired and the queue that it came from",
    where: { "queue.expiry": true, "queue.deadLetter": true },
    async run(context) {
      const queue = spec(context, "expired");
      const link = await context.link();
      const message = wire("old", { headers: { kept: "yes" }, expiresInMs: 100 });
      await context.soon(link.connection.publish({ kind: "queue", queue }, message), "publish");
      const dead = await draw(context, link, deadLettersOf(queue), 1);
      const { delivery } = await dead.out.at(0, 1_000);
      assert.equal(delivery.message.messageId, message.messageId);
      assert.equal(delivery.message.headers[DEAD_REASON_HEADER], "expired");
      assert.equal(delivery.message.headers[DEAD_QUEUE_HEADER], queue.name);
      assert.equal(delivery.message.headers.kept, "yes");
    },
  },
  {
    id: "D-08",
    sentence: "bodies arrive byte by byte: empty, and all byte values",
    async run(context) {
      const queue = spec(context, "bodies");
      const link = await context.link();
      const { out } = await draw(context, link, queue, 2);
      const bodies = [new Uint8Array(0), Uint8Array.from({ length: 256 }, (_, index) => index)];
      for (const body of bodies)
        await context.soon(link.connection.publish({ kind: "queue", queue }, wire(body)), "publish");
      await out.count(2);
      for (const [index, body] of bodies.entries()) {
        assert.equal(Buffer.compare(out.items[index]?.delivery.message.body ?? bytes("missing"), body), 0);
      }
    },
  },
  {
    id: "D-09",
    sentence: "a message with delayMs is not delivered before its time",
    where: { "queue.delayedDelivery": true },
    async run(context) {
      const queue = spec(context, "delay");
      const link = await context.link();
      const { out } = await draw(context, link, queue, 2);
      const started = performance.now();
      const message = wire("later", { delayMs: 1_000, headers: { kept: "yes" } });
      await context.soon(link.connection.publish({ kind: "queue", queue }, message), "publish");
      const { at, delivery } = await out.at(0, 1_000);
      assert.ok(at - started >= 1_000 - CLOCK_GRAIN_MS, `delivered after ${at - started} ms instead of 1,000`);
      assert.equal(delivery.message.messageId, message.messageId);
      assert.deepEqual({ ...delivery.message.headers }, { kept: "yes" });
    },
  },
];
