import assert from "node:assert";
import type { ContractCase } from "../case.js";
import { Stopwatch } from "../stopwatch.js";
import { bytes, numbered } from "../text.js";
import { aborted, distinct, isSubset, post, postAll, take, texts } from "./steps.js";

/** Consumers and queues that are lost alone; brokers that go away, or do not answer. */
export const lostBrokerCases: readonly ContractCase[] = [
  {
    id: "Q-90",
    sentence: "a consumer that is lost alone comes back alone: the connection stays, and nothing is lost",
    needs: ["dropConsumers"],
    async run(context) {
      const { messaging, observed } = await context.node();
      const name = context.name("consumer-lost");
      const { seen } = await take(context, messaging.queue(name), ({ delivery }, index) =>
        index === 0 ? aborted(delivery.signal) : undefined,
      );
      await post(context, messaging.queue(name), "one");
      await seen.count(1);
      await context.soon(context.fault("dropConsumers")(name), "dropConsumers", context.faultMs);
      await seen.count(2, context.recoveryMs);
      assert.equal(messaging.state, "open");
      assert.ok(!observed.items.some((item) => item.type === "connection" && item.state === "reconnecting"));
      await post(context, messaging.queue(name), "two");
      await seen.find((item) => item.text === "two", "message two", context.recoveryMs);
      assert.equal(seen.items[1]?.delivery.attempt, 1);
    },
  },
  {
    id: "Q-91",
    sentence:
      "a queue that is deleted is declared again: its consumer comes back and gets what is published from then on",
    needs: ["deleteQueue"],
    async run(context) {
      const { messaging, observed } = await context.node();
      const name = context.name("deleted");
      const { consumer, seen } = await take(context, messaging.queue(name));
      await post(context, messaging.queue(name), "one");
      await seen.count(1);
      const known = observed.items.length;
      await context.soon(context.fault("deleteQueue")(name), "deleteQueue", context.faultMs);
      await observed.until(
        (items) => items.slice(known).some((item) => item.type === "consumer" && item.state === "running"),
        "recovering, then running",
        context.recoveryMs,
      );
      await post(context, messaging.queue(name), "two");
      await seen.find((item) => item.text === "two", "message two", context.recoveryMs);
      assert.equal(consumer.state, "running");
    },
  },
  {
    id: "Q-92",
    sentence: "a publish to a queue that was deleted since the last one declares it again, and is stored",
    needs: ["deleteQueue"],
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("deleted-publish");
      await post(context, messaging.queue(name), "one");
      await context.soon(context.fault("deleteQueue")(name), "deleteQueue", context.faultMs);
      await context.soon(messaging.queue(name).publish({ body: bytes("two") }), "publish of two", context.recoveryMs);
      const { seen } = await take(context, messaging.queue(name));
      await seen.count(1);
      assert.deepEqual(texts(seen), ["two"]);
    },
  },
  {
    id: "Q-93",
    sentence: "what was confirmed survives a restart of the broker, and consumers come back after it",
    where: { "queue.persistent": true },
    needs: ["restartBroker"],
    limitMs: 120_000,
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("restart");
      const bodies = numbered("m", 50);
      await postAll(context, messaging.queue(name), bodies);
      const idle = messaging.queue(context.name("restart-idle"));
      const waiting = await take(context, idle);
      await context.soon(context.fault("restartBroker")(), "restartBroker", 60_000);
      const { seen } = await take(context, messaging.queue(name));
      await seen.until(() => isSubset(bodies, distinct(seen)), `all ${bodies.length} messages`, 20_000);
      await context.soon(idle.publish({ body: bytes("one") }), "publish", 20_000);
      await waiting.seen.count(1, 20_000);
    },
  },
  {
    id: "Q-94",
    sentence: "publish settles within timeoutMs, with UNAVAILABLE, when the broker does not answer",
    needs: ["freezeBroker", "thawBroker"],
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("frozen"));
      await post(context, queue, "one");
      context.atEnd(context.fault("thawBroker"));
      await context.soon(context.fault("freezeBroker")(), "freezeBroker");
      const watch = new Stopwatch();
      const attempt = () => queue.publish({ body: bytes("two") }, { timeoutMs: 300 });
      await context.refused(attempt, "UNAVAILABLE", "publish to a broker that does not answer");
      const { ms: took, undisturbedMs } = watch;
      assert.ok(took >= 295 && undisturbedMs < 1_500, `publish with timeoutMs 300 settled after ${took} ms`);
    },
  },
  {
    id: "Q-95",
    sentence: "aborting the signal of a publish that waits for the broker settles it with ABORTED",
    needs: ["freezeBroker", "thawBroker"],
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("frozen-abort"));
      await post(context, queue, "one");
      context.atEnd(context.fault("thawBroker"));
      await context.soon(context.fault("freezeBroker")(), "freezeBroker");
      const abort = new AbortController();
      const publishing = queue.publish({ body: bytes("two") }, { signal: abort.signal });
      abort.abort(new Error("changed my mind"));
      await context.refused(() => publishing, "ABORTED", "publish, its signal aborted");
    },
  },
];
