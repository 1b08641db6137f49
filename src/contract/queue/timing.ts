import assert from "node:assert";
import { DEAD_QUEUE_HEADER, DEAD_REASON_HEADER } from "../../driver/index.js";
import type { ContractCase } from "../case.js";
import { CLOCK_GRAIN_MS } from "../probe.js";
import { bytes } from "../text.js";
import { holdsOnly, post, postOne, take, takeDead, texts } from "./steps.js";

/** Delay, expiry and priority: each works, or is refused. */
export const timingCases: readonly ContractCase[] = [
  {
    id: "Q-56",
    sentence: "a message with delayMs is not delivered before its time, and keeps ids and headers",
    where: { "queue.delayedDelivery": true },
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("delay"));
      const { seen } = await take(context, queue);
      const started = performance.now();
      const message = { body: bytes("later"), messageId: "id-1", correlationId: "corr-1", headers: { kept: "yes" } };
      await context.soon(queue.publish(message, { delayMs: 1_000 }), "publish with delayMs");
      await post(context, queue, "now");
      const [first, second] = await seen.count(2, 1_000);
      assert.equal(first?.text, "now");
      assert.ok(second !== undefined && second.at - started >= 1_000 - CLOCK_GRAIN_MS, "delivered too early");
      assert.equal(second.delivery.messageId, "id-1");
      assert.equal(second.delivery.correlationId, "corr-1");
      assert.deepEqual({ ...second.delivery.headers }, { kept: "yes" });
      assert.equal(second.delivery.attempt, 1);
      assert.equal(second.delivery.redelivered, false);
    },
  },
  {
    id: "Q-57",
    sentence: "a short delay never waits behind a long one",
    where: { "queue.delayedDelivery": true },
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("delays"));
      const { seen } = await take(context, queue);
      await postOne(context, queue, "long", { delayMs: 3_500 });
      await postOne(context, queue, "short", { delayMs: 100 });
      await seen.count(2, 3_500);
      assert.deepEqual(texts(seen), ["short", "long"]);
    },
  },
  {
    id: "Q-58",
    sentence:
      "delayMs is refused with UNSUPPORTED where the broker cannot delay, and nothing is published; 0 is no delay",
    where: { "queue.delayedDelivery": false },
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("delay");
      const attempt = () => messaging.queue(name).publish({ body: bytes("refused") }, { delayMs: 50 });
      await context.unsupported(attempt, "delayedDelivery", "publish with delayMs");
      await postOne(context, messaging.queue(name), "now", { delayMs: 0 });
      await holdsOnly(context, messaging, name, ["now"]);
    },
  },
  {
    id: "Q-59",
    sentence: "a message that is not delivered within expiresInMs goes to the dead letters as expired",
    where: { "queue.expiry": true, "queue.deadLetter": true },
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("expiry");
      const message = { body: bytes("old"), messageId: "id-1", headers: { kept: "yes" } };
      await context.soon(messaging.queue(name).publish(message, { expiresInMs: 100 }), "publish with expiresInMs");
      const dead = await (await takeDead(context, messaging, name)).at(0, 1_000);
      assert.equal(dead.text, "old");
      assert.equal(dead.delivery.messageId, "id-1");
      assert.equal(dead.delivery.headers.kept, "yes");
      assert.equal(dead.delivery.headers[DEAD_REASON_HEADER], "expired");
      assert.equal(dead.delivery.headers[DEAD_QUEUE_HEADER], name);
      await holdsOnly(context, messaging, name);
    },
  },
  {
    id: "Q-60",
    sentence: "a message that is delivered within expiresInMs is as any other, however long its handler takes",
    where: { "queue.expiry": true },
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("in-time");
      const expiresInMs = context.unhurried(300);
      const { consumer, seen } = await take(context, messaging.queue(name), async () => {
        await context.window(2 * expiresInMs, "twice the expiry, in which a broker that expires what is out would act");
      });
      await postOne(context, messaging.queue(name), "one", { expiresInMs });
      const { delivery } = await seen.at(0);
      assert.equal(await context.soon(delivery.settled, "settled"), true);
      await context.soon(consumer.close(), "close");
      await holdsOnly(context, messaging, name);
      if (context.capabilities.queue.deadLetter) await holdsOnly(context, messaging, `${name}.dead`);
    },
  },
  {
    id: "Q-61",
    sentence: "expiresInMs is refused with UNSUPPORTED where the broker cannot expire, and nothing is published",
    where: { "queue.expiry": false },
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("expiry");
      const attempt = () => messaging.queue(name).publish({ body: bytes("refused") }, { expiresInMs: 60_000 });
      await context.unsupported(attempt, "expiry", "publish with expiresInMs");
      await holdsOnly(context, messaging, name);
    },
  },
  {
    id: "Q-62",
    sentence: "an expiry does not cut a delay short, and a message that expires during its delay is not delivered",
    where: { "queue.expiry": true, "queue.delayedDelivery": true },
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("delay-and-expiry"));
      const { seen } = await take(context, queue);
      const started = performance.now();
      await postOne(context, queue, "too late", { delayMs: 1_000, expiresInMs: 200 });
      await postOne(context, queue, "in time", { delayMs: 1_000, expiresInMs: 20_000 });
      await postOne(context, queue, "marker", { delayMs: 1_500 });
      const [first] = await seen.count(2, 2_000);
      assert.ok((first?.at ?? 0) - started >= 1_000 - CLOCK_GRAIN_MS, "delivered too early");
      assert.deepEqual(texts(seen).sort(), ["in time", "marker"]);
    },
  },
  {
    id: "Q-63",
    sentence: "what is more urgent overtakes what waits; equals keep their order; no priority means standard",
    where: { "queue.priority": true },
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("priority"));
      for (const round of [1, 2]) {
        await postOne(context, queue, `bulk-${round}`, { priority: "bulk" });
        await postOne(context, queue, `none-${round}`);
        await postOne(context, queue, `standard-${round}`, { priority: "standard" });
        await postOne(context, queue, `expedite-${round}`, { priority: "expedite" });
      }
      const { seen } = await take(context, queue);
      await seen.count(8);
      const middle = ["none-1", "standard-1", "none-2", "standard-2"];
      assert.deepEqual(texts(seen), ["expedite-1", "expedite-2", ...middle, "bulk-1", "bulk-2"]);
    },
  },
  {
    id: "Q-96",
    sentence: "a message that is tried again keeps its priority",
    where: { "queue.priority": true },
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("priority-kept"));
      for (const priority of ["bulk", "expedite", "standard"] as const)
        await postOne(context, queue, priority, { priority });
      const { seen } = await take(context, queue, (_, index) => (index === 0 ? "requeue" : "ack"));
      await seen.count(4);
      assert.deepEqual(texts(seen), ["expedite", "expedite", "standard", "bulk"]);
    },
  },
  {
    id: "Q-64",
    sentence: "priority is refused with UNSUPPORTED where nothing overtakes, and nothing is published",
    where: { "queue.priority": false },
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("priority");
      for (const priority of ["expedite", "bulk"] as const) {
        const attempt = () => messaging.queue(name).publish({ body: bytes("refused") }, { priority });
        await context.unsupported(attempt, "priority", `publish with priority ${priority}`);
      }
      await holdsOnly(context, messaging, name);
    },
  },
];
