import assert from "node:assert";
import { jsonCodec } from "../../index.js";
import type { ContractCase } from "../case.js";
import { bytes, numbered } from "../text.js";
import { consumeOptions, distinct, post, postAll, postOne, take, texts } from "./steps.js";

const BURST = 2_000;

/** What arrives is what was published, once publish said so. */
export const publishCases: readonly ContractCase[] = [
  {
    id: "Q-01",
    sentence:
      "publish resolves once the message is stored: a consumer that comes later, on another connection, gets it",
    async run(context) {
      const name = context.name("stored");
      const sender = await context.node();
      await post(context, sender.messaging.queue(name), "one");
      const receiver = await context.node();
      const { seen } = await take(context, receiver.messaging.queue(name));
      await seen.count(1);
      assert.deepEqual(texts(seen), ["one"]);
    },
  },
  {
    id: "Q-02",
    sentence: "bodies arrive byte by byte: empty ones, all byte values, a megabyte",
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("bodies"));
      const megabyte = Math.min(1_048_576, context.capabilities.maxMessageBytes);
      const bodies = [
        new Uint8Array(0),
        Uint8Array.from({ length: 256 }, (_, index) => index),
        Uint8Array.from({ length: megabyte }, (_, index) => (index * 31 + (index >> 8)) & 0xff),
      ];
      const { seen } = await take(context, queue);
      for (const [index, body] of bodies.entries()) {
        await context.soon(queue.publish({ body }), `publish of ${body.byteLength} bytes`);
        const { delivery } = await seen.at(index);
        assert.ok(delivery.body instanceof Uint8Array, "the body must be a Uint8Array");
        assert.equal(Buffer.compare(delivery.body, body), 0, `the body of ${body.byteLength} bytes changed on its way`);
      }
    },
  },
  {
    id: "Q-04",
    sentence: "headers, messageId and correlationId arrive as they were given, unicode included",
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("headers"));
      const headers = {
        plain: "value",
        empty: "",
        Ünïcode: "żółć 🚚 漢字",
        "with space": 'quotes " and \\ and\nlines',
        number: "0042",
      };
      const { seen } = await take(context, queue);
      const message = { body: bytes("one"), headers, messageId: "id-ż-1", correlationId: "corr 🚚" };
      await context.soon(queue.publish(message), "publish");
      const { delivery } = await seen.at(0);
      assert.deepEqual({ ...delivery.headers }, headers);
      assert.equal(delivery.messageId, "id-ż-1");
      assert.equal(delivery.correlationId, "corr 🚚");
    },
  },
  {
    id: "Q-05",
    sentence: "a message without a messageId gets one of its own; a correlationId that was not given stays undefined",
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("ids"));
      const { seen } = await take(context, queue);
      await post(context, queue, "one", "two");
      const [first, second] = await seen.count(2);
      assert.ok((first?.delivery.messageId.length ?? 0) >= 16, "a messageId is a UUID");
      assert.notEqual(first?.delivery.messageId, second?.delivery.messageId);
      assert.equal(first?.delivery.correlationId, undefined);
      assert.deepEqual({ ...first?.delivery.headers }, {});
    },
  },
  {
    id: "Q-08",
    sentence: "the JSON codec hands over equal values",
    async run(context) {
      const { messaging } = await context.node();
      const value = { text: "żółć", list: [1, 2.5, -3e10, null, true], nested: { empty: {} } };
      const queue = messaging.queue(context.name("json"), { codec: jsonCodec<typeof value>() });
      const bodies = context.collector<typeof value>("values", (item) => JSON.stringify(item));
      const consuming = queue.consume(async (delivery) => bodies.add(delivery.body), consumeOptions(context));
      await context.soon(consuming, "consume");
      await context.soon(queue.publish({ body: value }), "publish");
      assert.deepEqual(await bodies.at(0), value);
    },
  },
  {
    id: "Q-11",
    sentence: "messages of one queue never show up in another, whatever characters tell their names apart",
    async run(context) {
      const { messaging } = await context.node();
      const stem = context.name("names");
      const names = ["a.b", "a-b", "a_b", "a/b", "a b", "a.*", "a.#", "A.B", "a:b", "a%2Eb", "ä→b"].map(
        (end) => `${stem} ${end}`,
      );
      for (const name of names) await post(context, messaging.queue(name), name);
      for (const name of names) {
        const { seen } = await take(context, messaging.queue(name));
        await seen.count(1);
        assert.deepEqual(texts(seen), [name]);
      }
    },
  },
  {
    id: "Q-13",
    sentence: "a burst of 2,000 publishes at once arrives whole, and nothing twice",
    async run(context) {
      const sender = await context.node();
      const receiver = await context.node();
      const name = context.name("burst");
      const { seen } = await take(context, receiver.messaging.queue(name), () => "ack", {
        concurrency: 50,
        prefetch: 200,
      });
      const bodies = numbered("m", BURST);
      await postAll(context, sender.messaging.queue(name), bodies);
      await seen.until(() => distinct(seen).size >= BURST, `all ${BURST} messages`, 10_000);
      await post(context, sender.messaging.queue(name), "marker");
      await seen.find((item) => item.text === "marker", "the marker");
      assert.equal(seen.items.length, BURST + 1, "something arrived twice");
    },
  },
  {
    id: "Q-97",
    sentence: "messages with the same messageId are different messages: each is stored, and each is delivered",
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("same-id"));
      const bodies = numbered("m", 10);
      const publishing = bodies.map((body) => queue.publish({ body: bytes(body), messageId: "the same" }));
      await context.soon(Promise.all(publishing), "10 publishes with one messageId");
      const { seen } = await take(context, queue, () => "ack", { concurrency: 5 });
      await seen.count(10);
      assert.deepEqual([...distinct(seen)].sort(), bodies);
    },
  },
  {
    id: "Q-15",
    sentence: "persistent: true is accepted and delivered",
    where: { "queue.persistent": true },
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("persistent"));
      await postOne(context, queue, "one", { persistent: true });
      const { seen } = await take(context, queue);
      await seen.count(1);
    },
  },
  {
    id: "Q-17",
    sentence: "persistent: false is accepted and delivered everywhere",
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("transient"));
      await postOne(context, queue, "one", { persistent: false });
      const { seen } = await take(context, queue);
      await seen.count(1);
    },
  },
  {
    id: "Q-18",
    sentence: "each publish is observed, with queue and messageId: published, or publish-failed with the error",
    async run(context) {
      const { messaging, observed } = await context.node();
      const name = context.name("observed");
      const queue = messaging.queue(name);
      await context.soon(queue.publish({ body: bytes("one"), messageId: "observed-1" }), "publish");
      await observed.find(
        (item) => item.type === "published" && item.queue === name && item.messageId === "observed-1",
        "published, observed-1",
      );
      const signal = AbortSignal.abort();
      const attempt = () => queue.publish({ body: bytes("two"), messageId: "observed-2" }, { signal });
      await context.refused(attempt, "ABORTED", "publish with an aborted signal");
      await observed.find(
        (item) => item.type === "publish-failed" && item.queue === name && item.messageId === "observed-2",
        "publish-failed, observed-2",
      );
    },
  },
];
