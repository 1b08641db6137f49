import assert from "node:assert";
import { jsonCodec } from "../../index.js";
import type { ContractCase } from "../case.js";
import { Stopwatch } from "../stopwatch.js";
import { bytes, numbered } from "../text.js";
import { listen, tell, words } from "./steps.js";

const WAITING_LIMIT = 1_000;
const OVERFLOW = 200;

/** Handlers, bounds, ends and losses. */
export const subscriptionCases: readonly ContractCase[] = [
  {
    id: "B-13",
    sentence: "a handler that throws, at once or later, costs that message only, and is observed",
    async run(context) {
      const name = context.name("throws");
      const { messaging, observed } = await context.node();
      const { heard } = await listen(context, messaging.broadcast(name), {}, (_, index) => {
        if (index === 0) throw new Error("thrown at once");
        return index === 1 ? Promise.reject(new Error("thrown later")) : undefined;
      });
      const sender = (await context.node()).messaging.broadcast(name);
      for (const body of ["one", "two", "three"]) await tell(context, sender, body);
      await heard.count(3);
      for (const message of ["thrown at once", "thrown later"]) {
        await observed.find(
          (item) => item.type === "handler-failed" && item.source === name && item.error.message.includes(message),
          `handler-failed, ${message}`,
        );
      }
    },
  },
  {
    id: "B-14",
    sentence: "handlers of one subscription run one after another",
    async run(context) {
      const name = context.name("in-turn");
      let running = 0;
      let most = 0;
      const { heard } = await listen(context, (await context.node()).messaging.broadcast(name), {}, async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
      });
      const sender = (await context.node()).messaging.broadcast(name);
      await context.soon(Promise.all(numbered("m", 20).map((body) => tell(context, sender, body))), "20 broadcasts");
      await heard.count(20);
      assert.equal(most, 1);
    },
  },
  {
    id: "B-15",
    sentence: "at most 1,000 messages wait for a slow handler; each one more is dropped and observed",
    async run(context) {
      const name = context.name("overflow");
      const { messaging, observed } = await context.node();
      const gate = context.gate();
      const { heard } = await listen(context, messaging.broadcast(name), {}, () => gate.wait());
      const sender = (await context.node()).messaging.broadcast(name);
      const bodies = numbered("m", 1 + WAITING_LIMIT + OVERFLOW);
      await context.soon(Promise.all(bodies.map((body) => sender.publish({ body: bytes(body) }))), "the broadcasts");
      await observed.until(
        (items) => items.filter((item) => item.type === "discarded" && item.source === name).length >= OVERFLOW,
        `${OVERFLOW} observed as discarded`,
      );
      gate.open();
      await heard.count(1 + WAITING_LIMIT);
      await tell(context, sender, "marker");
      await heard.find((item) => item.text === "marker", "the marker");
      assert.equal(heard.items.length, 1 + WAITING_LIMIT + 1);
    },
  },
  {
    id: "B-16",
    sentence: "a body that cannot be decoded is observed, and the subscription goes on",
    async run(context) {
      const name = context.name("malformed");
      const { messaging, observed } = await context.node();
      const values = context.collector<string>("values", String);
      const subscribing = messaging
        .broadcast(name, { codec: jsonCodec<string>() })
        .subscribe(({ body }) => values.add(body));
      await context.soon(subscribing, "subscribe");
      const sender = (await context.node()).messaging.broadcast(name);
      await tell(context, sender, "{not json");
      await tell(context, sender, '"good"');
      assert.equal(await values.at(0), "good");
      await observed.find(
        (item) => (item.type === "handler-failed" || item.type === "discarded") && item.source === name,
        "the malformed body",
      );
    },
  },
  {
    id: "B-17",
    sentence: "after close nothing is heard; others go on; closed resolves with undefined, and a second close is one",
    async run(context) {
      const name = context.name("close");
      const first = await listen(context, (await context.node()).messaging.broadcast(name));
      const second = await listen(context, (await context.node()).messaging.broadcast(name));
      assert.equal(first.subscription.state, "live");
      await context.soon(Promise.all([first.subscription.close(), first.subscription.close()]), "close");
      assert.equal(first.subscription.state, "closed");
      assert.equal(await context.soon(first.subscription.closed, "closed"), undefined);
      await tell(context, (await context.node()).messaging.broadcast(name), "one");
      await second.heard.count(1);
      assert.deepEqual(words(first.heard), []);
    },
  },
  {
    id: "B-18",
    sentence: "close waits for the handler that runs, for drainMs at most",
    async run(context) {
      const name = context.name("close-waits");
      const { messaging } = await context.node();
      const sender = (await context.node()).messaging.broadcast(name);
      const gate = context.gate();
      const { subscription, heard } = await listen(context, messaging.broadcast(name), {}, () => gate.wait());
      await tell(context, sender, "one");
      await heard.count(1);
      let isClosed = false;
      const closing = subscription.close().then(() => {
        isClosed = true;
      });
      // Whatever close does without waiting for the handler is done when this comes back.
      await listen(context, messaging.broadcast(context.name("meanwhile")));
      assert.equal(isClosed, false, "close did not wait for the handler");
      gate.open();
      await context.soon(closing, "close");

      const hung = context.gate();
      const second = await listen(context, messaging.broadcast(name), {}, () => hung.wait());
      await tell(context, sender, "two");
      await second.heard.count(1);
      const watch = new Stopwatch();
      await context.soon(second.subscription.close({ drainMs: 50 }), "close with a hung handler");
      const { ms: took, undisturbedMs } = watch;
      assert.ok(took >= 45 && undisturbedMs < 1_500, `close with drainMs 50 took ${took} ms`);
    },
  },
  {
    id: "B-19",
    sentence: "subscribe with an aborted signal is refused with ABORTED; aborting it later closes the subscription",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("signal");
      const attempt = () => messaging.broadcast(name).subscribe(() => {}, { signal: AbortSignal.abort() });
      await context.refused(attempt, "ABORTED", "subscribe with an aborted signal");
      const abort = new AbortController();
      const { subscription } = await listen(context, messaging.broadcast(name), { signal: abort.signal });
      abort.abort();
      assert.equal(await context.soon(subscription.closed, "closed"), undefined);
      assert.equal(subscription.state, "closed");
    },
  },
  {
    id: "B-20",
    sentence: "await using closes a subscription",
    async run(context) {
      const { messaging } = await context.node();
      const { subscription } = await listen(context, messaging.broadcast(context.name("dispose")));
      await context.soon(subscription[Symbol.asyncDispose](), "asyncDispose");
      assert.equal(subscription.state, "closed");
    },
  },
  {
    id: "B-21",
    sentence:
      "a subscription comes back by itself after a lost link, for all and for its node, and says so: recovering, live",
    needs: ["dropConnections"],
    async run(context) {
      const name = context.name("comes-back");
      const { messaging, observed } = await context.node();
      const { subscription, heard } = await listen(context, messaging.broadcast(name));
      const known = observed.items.length;
      await context.dropConnections();
      await observed.until(
        (items) => {
          const states = items.slice(known).flatMap((item) => (item.type === "subscription" ? [item.state] : []));
          return states[0] === "recovering" && states.at(-1) === "live";
        },
        "recovering, then live",
        context.recoveryMs,
      );
      const sender = (await context.node()).messaging.broadcast(name);
      await tell(context, sender, "all");
      await tell(context, sender, "node", { node: messaging.nodeId });
      await heard.count(2);
      assert.deepEqual(words(heard), ["all", "node"]);
      assert.equal(subscription.state, "live");
    },
  },
];
