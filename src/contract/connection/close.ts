import assert from "node:assert";
import { listen } from "../broadcast/steps.js";
import type { ContractCase } from "../case.js";
import { distinct, holdsOnly, post, take } from "../queue/steps.js";
import { bytes, numbered } from "../text.js";

/** Every connection ends, and says so. */
export const connectionCloseCases: readonly ContractCase[] = [
  {
    id: "C-11",
    sentence: "closing a connection twice, or at once, is one close; closed resolves with undefined",
    async run(context) {
      const { messaging, observed } = await context.node();
      await context.soon(messaging.open(), "open");
      await context.soon(Promise.all([messaging.close(), messaging.close()]), "two closes");
      await context.soon(messaging.close(), "a third close");
      assert.equal(await context.soon(messaging.closed, "closed"), undefined);
      assert.equal(messaging.state, "closed");
      const states = observed.items.flatMap((item) => (item.type === "connection" ? [item.state] : []));
      assert.deepEqual(states, ["connecting", "open", "closing", "closed"]);
    },
  },
  {
    id: "C-12",
    sentence: "close while connecting settles both: open resolves, or is refused with CLOSED",
    async run(context) {
      const { messaging } = await context.node();
      const opening = messaging.open().then(
        () => "opened",
        (error: unknown) => error,
      );
      await context.soon(messaging.close(), "close while connecting");
      assert.equal(messaging.state, "closed");
      const outcome = await context.soon(opening, "open");
      if (outcome !== "opened")
        await context.refused(() => Promise.reject(outcome), "CLOSED", "open, closed meanwhile");
    },
  },
  {
    id: "C-13",
    sentence: "close closes all consumers and subscriptions; their closed resolves with undefined",
    async run(context) {
      const { messaging } = await context.node();
      const { consumer } = await take(context, messaging.queue(context.name("queue")));
      const { subscription } = await listen(context, messaging.broadcast(context.name("broadcast")));
      await context.soon(messaging.close(), "close");
      assert.equal(consumer.state, "closed");
      assert.equal(subscription.state, "closed");
      assert.equal(await context.soon(consumer.closed, "closed of the consumer"), undefined);
      assert.equal(await context.soon(subscription.closed, "closed of the subscription"), undefined);
    },
  },
  {
    id: "C-14",
    sentence: "close lets handlers that run publish and settle, and confirms that",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("drain");
      const out = context.name("drain-out");
      const gate = context.gate();
      const { seen } = await take(context, messaging.queue(name), async () => {
        await gate.wait();
        await messaging.queue(out).publish({ body: bytes("result") });
      });
      await post(context, messaging.queue(name), "one");
      const { delivery } = await seen.at(0);
      const closing = messaging.close();
      gate.open();
      await context.soon(closing, "close");
      assert.equal(await context.soon(delivery.settled, "settled"), true);
      const { messaging: after } = await context.node();
      await holdsOnly(context, after, out, ["result"]);
      await holdsOnly(context, after, name);
    },
  },
  {
    id: "C-15",
    sentence: "a handler that hangs holds close up for drainMs at most, and its message comes again",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("hung");
      const gate = context.gate();
      const { seen } = await take(context, messaging.queue(name), () => gate.wait());
      await post(context, messaging.queue(name), "one");
      const { delivery } = await seen.at(0);
      await context.soon(messaging.close({ drainMs: 100 }), "close with a hung handler");
      assert.equal(delivery.signal.aborted, true);
      assert.equal(messaging.state, "closed");
      const other = await context.node();
      const again = await take(context, other.messaging.queue(name));
      await again.seen.count(1);
      gate.open();
      assert.equal(await context.soon(delivery.settled, "settled of the hung handler"), false);
    },
  },
  {
    id: "C-16",
    sentence: "publishes that are under way when close is called settle: stored, or refused with CLOSED",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("under-way");
      await post(context, messaging.queue(name), "first");
      const bodies = numbered("m", 100);
      const publishing = Promise.allSettled(bodies.map((body) => messaging.queue(name).publish({ body: bytes(body) })));
      await context.soon(messaging.close(), "close");
      const outcomes = await context.soon(publishing, "the publishes under way");
      const stored = new Set(["first"]);
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.status === "fulfilled") stored.add(bodies[index] ?? "");
        else await context.refused(() => Promise.reject(outcome.reason), "CLOSED", `publish of ${bodies[index]}`);
      }
      const { seen } = await take(context, (await context.node()).messaging.queue(name), () => "ack", {
        concurrency: 10,
      });
      await seen.until(() => [...stored].every((body) => distinct(seen).has(body)), "all that was confirmed");
    },
  },
  {
    id: "C-17",
    sentence: "close right after a lost link settles, with all that waited for the link",
    needs: ["dropConnections"],
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("close-reconnecting");
      const { consumer } = await take(context, messaging.queue(name));
      const { subscription } = await listen(context, messaging.broadcast(name));
      await context.dropConnections();
      const publishing = Promise.allSettled([messaging.queue(name).publish({ body: bytes("one") })]);
      await context.soon(messaging.close({ drainMs: 1_000 }), "close", 2_000);
      await context.soon(publishing, "the publish that waited for the link");
      assert.equal(messaging.state, "closed");
      assert.equal(consumer.state, "closed");
      assert.equal(subscription.state, "closed");
    },
  },
  {
    id: "C-18",
    sentence: "close ends in spite of a broker that does not answer",
    needs: ["freezeBroker", "thawBroker"],
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("close-frozen");
      const { consumer } = await take(context, messaging.queue(name));
      await post(context, messaging.queue(name), "one");
      context.atEnd(context.fault("thawBroker"));
      await context.soon(context.fault("freezeBroker")(), "freezeBroker");
      const publishing = Promise.allSettled([messaging.queue(name).publish({ body: bytes("two") })]);
      await context.soon(messaging.close({ drainMs: 200 }), "close while the broker does not answer", 10_000);
      await context.soon(publishing, "the publish under way");
      assert.equal(messaging.state, "closed");
      assert.equal(consumer.state, "closed");
    },
  },
  {
    id: "C-19",
    sentence: "await using closes a connection",
    async run(context) {
      const { messaging } = await context.node();
      await context.soon(messaging.open(), "open");
      await context.soon(messaging[Symbol.asyncDispose](), "asyncDispose");
      assert.equal(messaging.state, "closed");
    },
  },
];
