import assert from "node:assert";
import type { ContractCase } from "../case.js";
import { numbered } from "../text.js";
import { consumeOptions, distinct, post, postAll, type Taking, take, texts } from "./steps.js";

/** Competition, concurrency, prefetch and order. */
export const consumeCases: readonly ContractCase[] = [
  {
    id: "Q-20",
    sentence: "each message is handled by exactly one of two consumers, and both get a share",
    async run(context) {
      const name = context.name("shared");
      const nodes = [await context.node(), await context.node()];
      const bothHaveOne = context.gate();
      const takings: Taking[] = [];
      for (const { messaging } of nodes) {
        takings.push(await take(context, messaging.queue(name), () => bothHaveOne.wait()));
      }
      const bodies = numbered("m", 40);
      await postAll(context, (await context.node()).messaging.queue(name), bodies);
      // Each holds its first message: the other one can only come to the other consumer.
      for (const { seen } of takings) await seen.count(1);
      bothHaveOne.open();
      const all = (): string[] => takings.flatMap(({ seen }) => texts(seen));
      await context.until(
        () => new Set(all()).size === bodies.length,
        () => `all ${bodies.length} messages; ${takings.map(({ seen }) => String(seen)).join("; ")}`,
      );
      assert.equal(all().length, bodies.length, "a message was handled twice");
    },
  },
  {
    id: "Q-21",
    sentence: "as many handlers as the concurrency run at once, and never more",
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("concurrency"));
      let running = 0;
      let most = 0;
      const allRun = context.gate();
      const answer = async (): Promise<void> => {
        running += 1;
        most = Math.max(most, running);
        if (running === 4) allRun.open();
        await allRun.wait();
        // Room for a fifth handler to begin while these run.
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
      };
      const { consumer, seen } = await take(context, queue, answer, { concurrency: 4, prefetch: 20 });
      assert.equal(consumer.inFlight, 0);
      await postAll(context, queue, numbered("m", 40));
      await seen.count(40);
      assert.equal(most, 4, `${most} handlers ran at once`);
      await context.until(
        () => consumer.inFlight === 0,
        () => `inFlight must come back to 0, it is ${consumer.inFlight}`,
      );
    },
  },
  {
    id: "Q-22",
    sentence: "inFlight is the number of handlers that run",
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("in-flight"));
      const gate = context.gate();
      const { consumer, seen } = await take(context, queue, () => gate.wait(), { concurrency: 3 });
      await post(context, queue, "one", "two");
      await seen.count(2);
      assert.equal(consumer.inFlight, 2);
      gate.open();
      await context.until(
        () => consumer.inFlight === 0,
        () => `inFlight ${consumer.inFlight} instead of 0`,
      );
    },
  },
  {
    id: "Q-23",
    sentence: "a consumer holds no more messages than its prefetch: another one gets the rest",
    async run(context) {
      const name = context.name("prefetch");
      const holder = await context.node();
      const other = await context.node();
      const gate = context.gate();
      const held = await take(context, holder.messaging.queue(name), () => gate.wait(), {
        concurrency: 1,
        prefetch: 3,
      });
      const bodies = numbered("m", 10);
      await postAll(context, holder.messaging.queue(name), bodies);
      await held.seen.count(1);
      const rest = await take(context, other.messaging.queue(name));
      await rest.seen.count(7);
      assert.ok(!distinct(rest.seen).has(held.seen.items[0]?.text ?? ""), "what one handles came to the other too");
      gate.open();
      const all = (): ReadonlySet<string> => new Set([...texts(held.seen), ...texts(rest.seen)]);
      await context.until(
        () => all().size === bodies.length,
        () => `all ${bodies.length} messages; ${held.seen}; ${rest.seen}`,
      );
    },
  },
  {
    id: "Q-24",
    sentence:
      "one consumer with concurrency 1 sees one publisher's messages in the order published, awaited or at once",
    where: { "queue.ordering": ["until-requeue", "strict"] },
    async run(context) {
      const sender = await context.node();
      const receiver = await context.node();
      const name = context.name("order");
      const queue = sender.messaging.queue(name);
      const bodies = numbered("m", 200);
      await post(context, queue, ...bodies.slice(0, 20));
      await postAll(context, queue, bodies.slice(20, 100));
      const { seen } = await take(context, receiver.messaging.queue(name), () => "ack", { prefetch: 20 });
      await postAll(context, queue, bodies.slice(100));
      await seen.count(bodies.length);
      assert.deepEqual(texts(seen), bodies);
    },
  },
  {
    id: "Q-25",
    sentence: "a message that is requeued is handled again before any that was published after it",
    where: { "queue.ordering": "strict" },
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("strict"));
      await post(context, queue, "one", "two", "three");
      const { seen } = await take(context, queue, (_, index) => (index === 0 ? "requeue" : "ack"), { prefetch: 3 });
      await seen.count(4);
      assert.deepEqual(texts(seen), ["one", "one", "two", "three"]);
    },
  },
  {
    id: "Q-26",
    sentence: "a message that was never handed over before has attempt 1 and redelivered false",
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("first"));
      const { seen } = await take(context, queue);
      await post(context, queue, "one");
      const { delivery } = await seen.at(0);
      assert.equal(delivery.attempt, 1);
      assert.equal(delivery.redelivered, false);
      assert.equal(delivery.signal.aborted, false);
    },
  },
  {
    id: "Q-27",
    sentence: "consume with an aborted signal is refused with ABORTED and leaves no consumer behind",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("consume-aborted");
      const stray = context.collector<string>("stray deliveries", String);
      const signal = AbortSignal.abort(new Error("changed my mind"));
      const attempt = () =>
        messaging
          .queue(name)
          .consume(async ({ messageId }) => stray.add(messageId), consumeOptions(context, { signal }));
      await context.refused(attempt, "ABORTED", "consume with an aborted signal");
      const { seen } = await take(context, messaging.queue(name));
      await post(context, messaging.queue(name), "one", "two", "three", "four");
      await seen.count(4);
      assert.equal(stray.items.length, 0);
    },
  },
  {
    id: "Q-28",
    sentence: "aborting the signal of a consumer that runs closes it, without an error, and others get the messages",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("consume-signal");
      const abort = new AbortController();
      const first = await take(context, messaging.queue(name), () => "ack", { signal: abort.signal });
      await post(context, messaging.queue(name), "one");
      await first.seen.count(1);
      abort.abort();
      assert.equal(await context.soon(first.consumer.closed, "closed"), undefined);
      assert.equal(first.consumer.state, "closed");
      const second = await take(context, messaging.queue(name));
      await post(context, messaging.queue(name), "two", "three");
      await second.seen.count(2);
      assert.deepEqual(texts(first.seen), ["one"]);
    },
  },
  {
    id: "Q-29",
    sentence: "consume options that make no sense are refused with INVALID_ARGUMENT",
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("consume-options"));
      for (const options of [
        { concurrency: -1 },
        { concurrency: 1.5 },
        { concurrency: Number.NaN },
        { prefetch: -1 },
        { maxAttempts: 0 },
        { maxDeliveries: 0 },
      ]) {
        const attempt = () => queue.consume(async () => {}, consumeOptions(context, options));
        await context.refused(attempt, "INVALID_ARGUMENT", `consume with ${JSON.stringify(options)}`);
      }
      const misspelt: object = { concurency: 5 };
      const attempt = () => queue.consume(async () => {}, consumeOptions(context, misspelt));
      await context.refused(attempt, "INVALID_ARGUMENT", "consume with an unknown option");
    },
  },
  {
    id: "Q-98",
    sentence: "a handler that hangs holds up nobody else: publishes and other consumers of its connection go on",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("hangs");
      const gate = context.gate();
      const hung = await take(context, messaging.queue(name), () => gate.wait());
      const busy = messaging.queue(context.name("busy"));
      const other = await take(context, busy);
      await post(context, messaging.queue(name), "one", "two");
      await hung.seen.count(1);
      await post(context, busy, ...numbered("m", 10));
      await other.seen.count(10);
      assert.equal(hung.seen.items.length, 1);
    },
  },
  {
    id: "Q-30",
    sentence: "consumers of 20 queues on one connection neither mix nor starve",
    async run(context) {
      const { messaging } = await context.node();
      const stem = context.name("many");
      const names = numbered(stem, 20);
      const takings = [];
      for (const name of names) takings.push({ name, ...(await take(context, messaging.queue(name))) });
      await context.soon(
        Promise.all(names.map((name) => postAll(context, messaging.queue(name), numbered(name, 5)))),
        "publish to 20 queues",
      );
      for (const { name, seen } of takings) {
        await seen.count(5);
        assert.deepEqual([...distinct(seen)].sort(), numbered(name, 5));
      }
    },
  },
];
