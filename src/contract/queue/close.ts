import assert from "node:assert";
import type { ContractCase } from "../case.js";
import { Stopwatch } from "../stopwatch.js";
import { bytes, numbered } from "../text.js";
import { distinct, post, postAll, take, texts } from "./steps.js";

const DRAIN_MS = 100;
/** What a close may take beyond its drain. */
const CLOSE_GRACE_MS = 2_000;

/** Consumers that end: nothing that they held is lost, and nothing comes after. */
export const closeCases: readonly ContractCase[] = [
  {
    id: "Q-03",
    sentence: "close waits for the handler that runs and gives the rest back",
    async run(context) {
      const name = context.name("close");
      const closing = await context.node();
      const other = await context.node();
      const gate = context.gate();
      const options = { concurrency: 1, prefetch: 4 };
      const first = await take(context, closing.messaging.queue(name), () => gate.wait(), options);
      await postAll(context, other.messaging.queue(name), numbered("m", 4));
      const running = await first.seen.at(0);
      let isClosed = false;
      const closed = first.consumer.close().then(() => {
        isClosed = true;
      });
      assert.equal(first.consumer.state, "closing");
      const second = await take(context, other.messaging.queue(name));
      await second.seen.count(3);
      assert.equal(isClosed, false, "close did not wait for the handler");
      assert.equal(running.delivery.signal.aborted, false, "close aborted a handler that still had time");
      for (const { delivery } of second.seen.items)
        assert.equal(delivery.attempt, 1, "given back is no failed attempt");
      gate.open();
      await context.soon(closed, "close");
      assert.equal(await context.soon(running.delivery.settled, "settled"), true);
      await post(context, other.messaging.queue(name), "marker");
      await second.seen.find((item) => item.text === "marker", "the marker");
      assert.deepEqual([...texts(first.seen), ...texts(second.seen)].sort(), ["m-0", "m-1", "m-2", "m-3", "marker"]);
    },
  },
  {
    id: "Q-72",
    sentence: "after close no handler is called: everything comes to the consumers that remain",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("after-close");
      const first = await take(context, messaging.queue(name), () => "ack", { concurrency: 5, prefetch: 10 });
      const second = await take(context, messaging.queue(name), () => "ack", { concurrency: 5, prefetch: 10 });
      await context.soon(first.consumer.close(), "close");
      await postAll(context, messaging.queue(name), numbered("m", 40));
      await second.seen.count(40);
      assert.equal(first.seen.items.length, 0);
    },
  },
  {
    id: "Q-73",
    sentence: "closing a consumer twice, or at once, is one close; closed resolves with undefined",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("close-twice");
      const gate = context.gate();
      const { consumer, seen } = await take(context, messaging.queue(name), () => gate.wait());
      await post(context, messaging.queue(name), "one");
      await seen.count(1);
      let finished = 0;
      const closings = [consumer.close(), consumer.close()].map((closing) => closing.then(() => (finished += 1)));
      assert.equal(finished, 0);
      gate.open();
      await context.soon(Promise.all(closings), "both closes");
      await context.soon(consumer.close(), "a third close");
      assert.equal(await context.soon(consumer.closed, "closed"), undefined);
      assert.equal(consumer.state, "closed");
      assert.equal(consumer.inFlight, 0);
    },
  },
  {
    id: "Q-74",
    sentence:
      "a handler that hangs holds close up for drainMs at most: then its signal aborts, and its message comes again",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("hung");
      const gate = context.gate();
      const first = await take(context, messaging.queue(name), () => gate.wait());
      await context.soon(messaging.queue(name).publish({ body: bytes("one"), messageId: "id-1" }), "publish");
      const hung = await first.seen.at(0);
      const watch = new Stopwatch();
      await context.soon(first.consumer.close({ drainMs: DRAIN_MS }), "close with a hung handler");
      const { ms: took, undisturbedMs } = watch;
      assert.ok(took >= DRAIN_MS - 5, `close did not wait for drainMs, it took ${took} ms`);
      assert.ok(undisturbedMs < DRAIN_MS + CLOSE_GRACE_MS, `close took ${took} ms with drainMs ${DRAIN_MS}`);
      assert.equal(hung.delivery.signal.aborted, true);
      const second = await take(context, messaging.queue(name));
      const again = await second.seen.at(0);
      assert.equal(again.delivery.messageId, "id-1");
      assert.equal(again.delivery.attempt, 1);
      // What the hung handler says at last is too late, and must harm nobody.
      gate.open();
      assert.equal(await context.soon(hung.delivery.settled, "settled of the hung handler"), false);
      assert.equal(await context.soon(again.delivery.settled, "settled"), true);
    },
  },
  {
    id: "Q-75",
    sentence: "aborting the signal of close ends the drain at once",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("close-signal");
      const gate = context.gate();
      const { consumer, seen } = await take(context, messaging.queue(name), () => gate.wait());
      await post(context, messaging.queue(name), "one");
      const { delivery } = await seen.at(0);
      const abort = new AbortController();
      const closing = consumer.close({ drainMs: 60_000, signal: abort.signal });
      abort.abort();
      await context.soon(closing, "close, its signal aborted");
      assert.equal(delivery.signal.aborted, true);
    },
  },
  {
    id: "Q-76",
    sentence: "a handler may close its own consumer, as long as it does not wait for that",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("close-inside");
      const closings: Promise<void>[] = [];
      const { consumer, seen } = await take(context, messaging.queue(name), () => {
        closings.push(consumer.close());
      });
      await post(context, messaging.queue(name), "one");
      const { delivery } = await seen.at(0);
      await context.soon(Promise.all(closings), "close from inside");
      assert.equal(await context.soon(delivery.settled, "settled"), true);
    },
  },
  {
    id: "Q-77",
    sentence: "await using closes a consumer",
    async run(context) {
      const { messaging } = await context.node();
      const { consumer } = await take(context, messaging.queue(context.name("dispose")));
      await context.soon(consumer[Symbol.asyncDispose](), "asyncDispose");
      assert.equal(consumer.state, "closed");
    },
  },
  {
    id: "Q-78",
    sentence: "consumers that come and go lose nothing and repeat nothing",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("come-and-go");
      const bodies = numbered("m", 200);
      await postAll(context, messaging.queue(name), bodies);
      const handled: string[] = [];
      while (new Set(handled).size < bodies.length) {
        const before = handled.length;
        const ready = context.gate();
        const closings: Promise<void>[] = [];
        const { consumer } = await take(
          context,
          messaging.queue(name),
          async ({ text }) => {
            await ready.wait();
            handled.push(text);
            if (handled.length === Math.min(before + 40, bodies.length)) closings.push(consumer.close());
          },
          { concurrency: 2, prefetch: 10 },
        );
        ready.open();
        await context.soon(consumer.closed, `${handled.length} messages handled; close after 40 more`);
        await Promise.all(closings);
      }
      assert.equal(handled.length, bodies.length, "something came twice, although each handler finished");
    },
  },
  {
    id: "Q-79",
    sentence: "ten consumers that open and close at the same time leave the queue healthy",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("churn");
      const bodies = numbered("m", 50);
      await postAll(context, messaging.queue(name), bodies);
      const handled = new Set<string>();
      const openAndClose = async (): Promise<void> => {
        const { consumer } = await take(context, messaging.queue(name), ({ text }) => void handled.add(text), {
          prefetch: 5,
        });
        await context.soon(consumer.close(), "close");
      };
      await Promise.all(Array.from({ length: 10 }, openAndClose));
      const last = await take(context, messaging.queue(name), ({ text }) => void handled.add(text));
      await last.seen.until(() => handled.size === bodies.length, `all ${bodies.length}, ${handled.size} handled`);
    },
  },
  {
    id: "Q-80",
    sentence: "release is no loss: however often a message is released, it is not taken for a crash loop",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("released-often");
      const options = context.capabilities.queue.deadLetter ? { maxDeliveries: 3 } : {};
      const { seen } = await take(
        context,
        messaging.queue(name),
        (_, index) => (index < 6 ? "release" : "ack"),
        options,
      );
      await post(context, messaging.queue(name), "one");
      await seen.count(7);
      assert.deepEqual(distinct(seen), new Set(["one"]));
    },
  },
  {
    id: "Q-81",
    sentence: "a retry that is held holds close up for drainMs at most: then it goes back at once, its failure counted",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("close-held");
      const first = await take(context, messaging.queue(name), () => ({ retryInMs: 900 }));
      await post(context, messaging.queue(name), "one");
      const { delivery } = await first.seen.at(0);
      await context.until(
        () => first.consumer.inFlight === 0,
        () => "the handler to end",
      );
      const idle = await take(context, messaging.queue(context.name("close-idle")));
      const watch = new Stopwatch();
      await context.soon(first.consumer.close({ drainMs: DRAIN_MS }), "close");
      const { ms: took, undisturbedMs } = watch;
      // What a close costs here and now.
      await context.soon(idle.consumer.close({ drainMs: DRAIN_MS }), "close of one without a message");
      const idleMs = watch.undisturbedMs - undisturbedMs;
      assert.ok(undisturbedMs < 800 + 2 * idleMs, `close waited for the held retry: ${Math.round(took)} ms`);
      assert.equal(await context.soon(delivery.settled, "settled"), true);
      const second = await take(context, messaging.queue(name));
      // On a machine that stood still, the retry may have come due, and failed again, before the close.
      const { attempt } = (await second.seen.at(0)).delivery;
      assert.ok(attempt >= 2, `attempt ${attempt}: the failure is not counted`);
    },
  },
];
