import assert from "node:assert";
import { MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import { CLOCK_GRAIN_MS } from "../probe.js";
import { bytes } from "../text.js";
import { type Answer, failWith, holdsOnly, post, take, takeDead, texts } from "./steps.js";

const onlyFirst =
  (first: () => ReturnType<Answer>): Answer =>
  (_, index) =>
    index === 0 ? first() : "ack";

/** What becomes of a delivery when its handler is done. */
export const settleCases: readonly ContractCase[] = [
  {
    id: "Q-31",
    sentence:
      'a handler that returns nothing, or "ack", has done it: settled is true, and the message never comes again',
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("ack");
      const { consumer, seen } = await take(context, messaging.queue(name), (_, index) =>
        index === 0 ? undefined : "ack",
      );
      await post(context, messaging.queue(name), "one", "two");
      for (const { delivery } of await seen.count(2)) {
        assert.equal(await context.soon(delivery.settled, "settled"), true);
      }
      await context.soon(consumer.close(), "close");
      await holdsOnly(context, messaging, name);
    },
  },
  {
    id: "Q-32",
    sentence: "a handler that throws gets the same message again, with attempt 2, and with the rest of it unchanged",
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("throws"));
      const { seen } = await take(
        context,
        queue,
        onlyFirst(() => failWith(new Error("not today"))),
      );
      const message = { body: bytes("one"), headers: { kept: "ż" }, messageId: "id-1", correlationId: "corr-1" };
      await context.soon(queue.publish(message), "publish");
      const { delivery, text } = await seen.at(1);
      assert.equal(text, "one");
      assert.equal(delivery.attempt, 2);
      assert.equal(delivery.redelivered, true);
      assert.equal(delivery.messageId, "id-1");
      assert.equal(delivery.correlationId, "corr-1");
      assert.deepEqual({ ...delivery.headers }, { kept: "ż" });
      assert.equal(await context.soon(delivery.settled, "settled"), true);
    },
  },
  {
    id: "Q-33",
    sentence: "a handler that throws before it returns a promise has failed like any other",
    async run(context) {
      const { messaging, observed } = await context.node();
      const queue = messaging.queue(context.name("throws-at-once"));
      const seen = context.collector<number>("attempts", String);
      const handler = ({ attempt }: { attempt: number }): Promise<void> => {
        seen.add(attempt);
        if (attempt === 1) throw new Error("thrown at once");
        return Promise.resolve();
      };
      const infinite = Number.POSITIVE_INFINITY;
      await context.soon(queue.consume(handler, { maxAttempts: infinite, maxDeliveries: infinite }), "consume");
      await post(context, queue, "one");
      await seen.count(2);
      assert.deepEqual(seen.items, [1, 2]);
      await observed.find(
        (item) => item.type === "handler-failed" && item.error.message.includes("thrown at once"),
        "handler-failed",
      );
    },
  },
  {
    id: "Q-34",
    sentence:
      "a handler that returns what is no settlement has failed, and not in passing: observed, and dead-lettered",
    where: { "queue.deadLetter": true },
    async run(context) {
      const { messaging, observed } = await context.node();
      const name = context.name("garbage");
      const garbage: unknown[] = [
        "acknowledged",
        42,
        true,
        { retryInMs: -1 },
        { retryInMs: Number.NaN },
        { deadLetter: 7 },
      ];
      await take(context, messaging.queue(name), (_, index) => garbage[index] as "ack");
      const dead = await takeDead(context, messaging, name);
      for (const [index, value] of garbage.entries()) {
        await post(context, messaging.queue(name), JSON.stringify(value));
        await dead.count(index + 1);
        await observed.until(
          (items) =>
            items.filter((item) => item.type === "handler-failed" && item.source === name).length === index + 1,
          `handler-failed after ${JSON.stringify(value)}`,
        );
      }
      assert.deepEqual(
        texts(dead),
        garbage.map((value) => JSON.stringify(value)),
      );
    },
  },
  {
    id: "Q-35",
    sentence: '"requeue" brings the message back at once, and each time counts as a failed attempt',
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("requeue"));
      const { seen } = await take(context, queue, (_, index) => (index < 3 ? "requeue" : "ack"));
      await post(context, queue, "one");
      await seen.count(4);
      assert.deepEqual(
        seen.items.map(({ delivery }) => delivery.attempt),
        [1, 2, 3, 4],
      );
      assert.equal(new Set(seen.items.map(({ delivery }) => delivery.messageId)).size, 1);
    },
  },
  {
    id: "Q-36",
    sentence: '"release" brings the message back without a failed attempt',
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("release"));
      const { seen } = await take(context, queue, (_, index) => (index < 2 ? "release" : "ack"));
      await post(context, queue, "one");
      await seen.count(3);
      assert.deepEqual(
        seen.items.map(({ delivery }) => delivery.attempt),
        [1, 1, 1],
      );
      assert.equal(seen.items[1]?.delivery.redelivered, true);
      assert.equal(await context.soon(seen.items[2]?.delivery.settled ?? Promise.resolve(false), "settled"), true);
    },
  },
  {
    id: "Q-37",
    sentence: "{ retryInMs } under a second brings the message back as attempt 2, not before its time",
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("retry-short"));
      const { seen } = await take(
        context,
        queue,
        onlyFirst(() => ({ retryInMs: 150 })),
      );
      await context.soon(queue.publish({ body: bytes("one"), messageId: "id-1", headers: { kept: "yes" } }), "publish");
      const [first, second] = await seen.count(2);
      assert.ok(first !== undefined && second !== undefined);
      assert.ok(
        second.at - first.at >= 150 - CLOCK_GRAIN_MS,
        `came again after ${second.at - first.at} ms instead of 150`,
      );
      assert.equal(second.delivery.attempt, 2);
      assert.equal(second.delivery.messageId, "id-1");
      assert.deepEqual({ ...second.delivery.headers }, { kept: "yes" });
    },
  },
  {
    id: "Q-38",
    sentence: "{ retryInMs } of a second, twice, brings the same message back each time, not before its time",
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("retry-long"));
      const { seen } = await take(context, queue, (_, index) => (index < 2 ? { retryInMs: 1_000 } : "ack"));
      const message = { body: bytes("one"), messageId: "id-1", correlationId: "corr-1", headers: { kept: "yes" } };
      await context.soon(queue.publish(message), "publish");
      await seen.count(3, 3_000);
      for (const [index, { at, delivery, text }] of seen.items.entries()) {
        assert.equal(text, "one");
        assert.equal(delivery.attempt, index + 1);
        assert.equal(delivery.messageId, "id-1");
        assert.equal(delivery.correlationId, "corr-1");
        assert.deepEqual({ ...delivery.headers }, { kept: "yes" });
        const waited = at - (seen.items[index - 1]?.at ?? Number.NEGATIVE_INFINITY);
        assert.ok(waited >= 1_000 - CLOCK_GRAIN_MS, `attempt ${index + 1} came after ${waited} ms instead of 1,000`);
      }
    },
  },
  {
    id: "Q-39",
    sentence: "{ retryInMs } of a second waits in the broker: with prefetch 1, the next message is handled meanwhile",
    where: { "queue.delayedDelivery": true },
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("retry-aside"));
      const { seen } = await take(
        context,
        queue,
        onlyFirst(() => ({ retryInMs: 1_000 })),
      );
      await post(context, queue, "one", "two");
      await seen.count(3, 1_000);
      assert.deepEqual(texts(seen), ["one", "two", "one"]);
    },
  },
  {
    id: "Q-40",
    sentence:
      "{ retryInMs } of a second is held by the consumer where the broker cannot delay: it counts in the prefetch",
    where: { "queue.delayedDelivery": false },
    async run(context) {
      const name = context.name("retry-held");
      const { messaging } = await context.node();
      const { seen } = await take(
        context,
        messaging.queue(name),
        onlyFirst(() => ({ retryInMs: 1_000 })),
        { prefetch: 2 },
      );
      await post(context, messaging.queue(name), "one", "two");
      await seen.count(3, 1_000);
      assert.deepEqual(texts(seen), ["one", "two", "one"]);
      const [first, , again] = seen.items;
      assert.ok((again?.at ?? 0) - (first?.at ?? 0) >= 1_000 - CLOCK_GRAIN_MS, "came again too early");
      assert.equal(again?.delivery.attempt, 2);
    },
  },
  {
    id: "Q-41",
    sentence: "a retryable MessagingError from a handler means: tried again",
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("retryable"));
      const { seen } = await take(
        context,
        queue,
        onlyFirst(() => failWith(new MessagingError("UNAVAILABLE", "the other side is away"))),
      );
      await post(context, queue, "one");
      assert.equal((await seen.at(1)).delivery.attempt, 2);
    },
  },
  {
    id: "Q-42",
    sentence: "each settlement is observed with queue, messageId, attempt, outcome, and whether it reached the broker",
    async run(context) {
      const { messaging, observed } = await context.node();
      const name = context.name("settled-observed");
      const queue = messaging.queue(name);
      await take(context, queue, (_, index) => (["requeue", "release", "ack"] as const)[index]);
      await context.soon(queue.publish({ body: bytes("one"), messageId: "id-1" }), "publish");
      for (const [outcome, attempt] of [
        ["retry", 1],
        ["release", 2],
        ["ack", 2],
      ] as const) {
        await observed.find(
          (item) =>
            item.type === "settled" &&
            item.queue === name &&
            item.messageId === "id-1" &&
            item.outcome === outcome &&
            item.attempt === attempt &&
            item.reached,
          `settled: ${outcome} of attempt ${attempt}`,
        );
      }
    },
  },
  {
    id: "Q-43",
    sentence: "observers that throw change nothing",
    async run(context) {
      const throws = (): void => {
        throw new Error("an observer's own trouble");
      };
      const { messaging } = await context.node({ observers: [throws] });
      const name = context.name("observers");
      const queue = messaging.queue(name);
      const { consumer, seen } = await take(
        context,
        queue,
        onlyFirst(() => failWith(new Error("not today"))),
      );
      await post(context, queue, "one");
      assert.equal(await context.soon((await seen.at(1)).delivery.settled, "settled"), true);
      await context.soon(consumer.close(), "close");
      await holdsOnly(context, messaging, name);
    },
  },
];
