import assert from "node:assert";
import type { ContractCase } from "../case.js";
import { numbered } from "../text.js";
import { distinct, post, postAll, take, texts } from "./steps.js";

/** The number of handlers, changed while messages flow. */
export const pauseCases: readonly ContractCase[] = [
  {
    id: "Q-65",
    sentence:
      "setConcurrency(0) pauses: what runs goes on, what has not started goes back and comes to another consumer",
    async run(context) {
      const name = context.name("pause");
      const paused = await context.node();
      const other = await context.node();
      const gate = context.gate();
      const options = { concurrency: 1, prefetch: 5 };
      const held = await take(context, paused.messaging.queue(name), () => gate.wait(), options);
      await postAll(context, paused.messaging.queue(name), numbered("m", 5));
      const first = await held.seen.at(0);
      held.consumer.setConcurrency(0);
      assert.equal(held.consumer.state, "paused");
      const rest = await take(context, other.messaging.queue(name));
      await rest.seen.count(4);
      assert.equal(first.delivery.signal.aborted, false, "a pause aborts nothing");
      assert.equal(held.consumer.inFlight, 1);
      for (const { delivery } of rest.seen.items) assert.equal(delivery.attempt, 1, "a pause is no failed attempt");
      gate.open();
      assert.equal(await context.soon(first.delivery.settled, "settled"), true);
      await post(context, paused.messaging.queue(name), "marker");
      await rest.seen.find((item) => item.text === "marker", "the marker");
      assert.equal(held.seen.items.length, 1, "a paused consumer was given a message");
      assert.equal(rest.seen.items.length, 5, "what ran during the pause came again");
    },
  },
  {
    id: "Q-66",
    sentence: "a paused consumer goes on when its concurrency is raised again, without having lost anything",
    async run(context) {
      const { messaging, observed } = await context.node();
      const name = context.name("resume");
      const gate = context.gate();
      const { consumer, seen } = await take(context, messaging.queue(name), () => gate.wait(), { prefetch: 4 });
      const bodies = numbered("m", 60);
      await postAll(context, messaging.queue(name), bodies);
      await seen.count(1);
      consumer.setConcurrency(0);
      await observed.until(
        (items) => items.some((item) => item.type === "settled" && item.queue === name && item.outcome === "release"),
        "what had not started to be given back",
      );
      gate.open();
      for (const concurrency of [2, 0, 1, 0, 3]) {
        consumer.setConcurrency(concurrency);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.equal(consumer.state, "running");
      await seen.until(() => distinct(seen).size === bodies.length, `all ${bodies.length} messages`);
    },
  },
  {
    id: "Q-67",
    sentence: "setConcurrency raises the number of handlers at once",
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("raise"));
      const gate = context.gate();
      const { consumer, seen } = await take(context, queue, () => gate.wait());
      await postAll(context, queue, numbered("m", 10));
      await seen.count(1);
      consumer.setConcurrency(4);
      await seen.count(4);
      assert.equal(consumer.inFlight, 4);
      gate.open();
      await seen.count(10);
    },
  },
  {
    id: "Q-68",
    sentence: "setConcurrency lowers it too: handlers that run finish, then there are never more",
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("lower"));
      const gate = context.gate();
      let running = 0;
      let lowered = false;
      let most = 0;
      const { consumer, seen } = await take(
        context,
        queue,
        async (_, index) => {
          running += 1;
          if (lowered) most = Math.max(most, running);
          if (index < 4) await gate.wait();
          await new Promise((resolve) => setImmediate(resolve));
          running -= 1;
        },
        { concurrency: 4 },
      );
      await postAll(context, queue, numbered("m", 4));
      await seen.count(4);
      consumer.setConcurrency(1);
      gate.open();
      await context.until(
        () => running === 0,
        () => `${running} handlers still run`,
      );
      lowered = true;
      await postAll(context, queue, numbered("n", 8));
      await seen.until(() => distinct(seen).size === 12, "all 12 messages");
      assert.equal(most, 1);
    },
  },
  {
    id: "Q-69",
    sentence: "concurrency 0 starts paused: messages go to others, until it is raised",
    async run(context) {
      const name = context.name("start-paused");
      const { messaging } = await context.node();
      const paused = await take(context, messaging.queue(name), () => "ack", { concurrency: 0 });
      assert.equal(paused.consumer.state, "paused");
      const other = await take(context, messaging.queue(name));
      await post(context, messaging.queue(name), "one", "two", "three");
      await other.seen.count(3);
      assert.equal(paused.seen.items.length, 0);
      await context.soon(other.consumer.close(), "close");
      paused.consumer.setConcurrency(1);
      assert.equal(paused.consumer.state, "running");
      await post(context, messaging.queue(name), "four");
      await paused.seen.count(1);
      assert.deepEqual(texts(paused.seen), ["four"]);
    },
  },
  {
    id: "Q-70",
    sentence:
      "setConcurrency with what is no whole number of handlers is refused with INVALID_ARGUMENT, and changes nothing",
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("bad-concurrency"));
      const { consumer, seen } = await take(context, queue);
      for (const value of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        await context.refused(() => consumer.setConcurrency(value), "INVALID_ARGUMENT", `setConcurrency(${value})`);
      }
      await post(context, queue, "one");
      await seen.count(1);
    },
  },
  {
    id: "Q-71",
    sentence: "a consumer's states are observed: running, paused, running, closing, closed",
    async run(context) {
      const { messaging, observed } = await context.node();
      const name = context.name("states");
      const { consumer } = await take(context, messaging.queue(name));
      assert.equal(consumer.state, "running");
      consumer.setConcurrency(0);
      consumer.setConcurrency(1);
      await context.soon(consumer.close(), "close");
      assert.equal(consumer.state, "closed");
      const states = observed.items.flatMap((item) =>
        item.type === "consumer" && item.queue === name ? [item.state] : [],
      );
      assert.deepEqual(states, ["running", "paused", "running", "closing", "closed"]);
    },
  },
];
