import assert from "node:assert";
import type { ContractCase } from "../case.js";
import { CLOCK_GRAIN_MS } from "../probe.js";
import { numbered } from "../text.js";
import { ack, eventNode, join, postEvents, subscriptionOf, together } from "./steps.js";

/** How many events a subscriber holds at once. */
export const creditCases: readonly ContractCase[] = [
  {
    id: "E-36",
    sentence: "a subscriber starts with credit for 3: it gets no fourth event before it has answered one",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("credit-3") });
      const first = await join(context, node, "first");
      await postEvents(context, node, numbered("event", 7));
      await first.seen.count(3);
      const second = await join(context, node, "second");
      await second.seen.count(3);
      assert.equal(first.seen.items.length, 3, `more than its credit; ${first.seen}`);
      await ack(context, node, await first.seen.at(0));
      await first.seen.count(4);
      assert.equal(second.seen.items.length, 3, `more than its credit; ${second.seen}`);
    },
  },
  {
    id: "E-37",
    sentence: "each ack within a quarter of the ack timeout adds 1 to the credit",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("credit-grows") });
      const quick = await join(context, node, "quick");
      await postEvents(context, node, numbered("event", 20));
      for (const item of (await quick.seen.count(3)).slice(0, 3)) await ack(context, node, item);
      await quick.seen.count(3 + 6, 1_000);
      const other = await join(context, node, "other");
      await other.seen.count(3, 1_000);
      assert.equal(
        quick.seen.items.length,
        9,
        `three acks of three events, and credit for other than six; ${quick.seen}`,
      );
    },
  },
  {
    id: "E-38",
    sentence: "the credit grows to maxCreditPerSubscriber, and no further",
    async run(context) {
      const options = { queue: context.name("credit-most"), maxCreditPerSubscriber: 5 };
      const node = await eventNode(context, options);
      const quick = await join(context, node, "quick", { reply: (_, index) => (index < 10 ? "ack" : undefined) });
      await postEvents(context, node, numbered("event", 25));
      await quick.seen.count(10 + 5, 1_000);
      const other = await join(context, node, "other");
      await other.seen.count(3, 1_000);
      assert.equal(quick.seen.items.length, 15, `held more than 5; ${quick.seen}`);
    },
  },
  {
    id: "E-39",
    sentence: "an ack that comes later than a quarter of the ack timeout leaves the credit as it is",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("credit-slow"), ackTimeoutMs: 8_000 });
      const slow = await join(context, node, "slow");
      await postEvents(context, node, numbered("event", 9));
      const held = (await slow.seen.count(3)).slice(0, 3);
      await context.window(2_050, "longer than a quarter of the ack timeout");
      for (const item of held) await ack(context, node, item);
      await slow.seen.count(6);
      const other = await join(context, node, "other");
      await other.seen.count(3, 1_000);
      assert.equal(slow.seen.items.length, 6, `more than its credit; ${slow.seen}`);
    },
  },
  {
    id: "E-40",
    sentence: "an ack timeout halves the credit, down to 1",
    async run(context) {
      const ackTimeoutMs = context.unhurried(400);
      const options = { queue: context.name("credit-halves"), creditPerSubscriber: 6, ackTimeoutMs };
      // What timed out is given up at once: a broker that cannot delay would keep it out, and have no room for the rest.
      const node = await eventNode(context, { ...options, retryScheduleMs: [] });
      const { seen } = await join(context, node, "reader");
      await postEvents(context, node, ["times out"]);
      await seen.count(1);
      await context.window(2 * ackTimeoutMs, "the attempt has failed by then");
      // None of them is handed over sooner. When it came to the reader says less: on a busy machine that is late.
      const posting = performance.now();
      await postEvents(context, node, numbered("event", 12));
      const [, , , , fifth, sixth] = await seen.count(6);
      assert.ok(fifth !== undefined && sixth !== undefined);
      const waited = fifth.at - posting;
      assert.ok(waited >= ackTimeoutMs - CLOCK_GRAIN_MS, `a fourth event at once, after ${Math.round(waited)} ms`);
      const last = sixth.at - posting;
      assert.ok(
        last >= 2 * ackTimeoutMs - 2 * CLOCK_GRAIN_MS,
        `two events at once with credit for 1, after ${Math.round(last)} ms`,
      );
    },
  },
  {
    id: "E-41",
    sentence:
      "a subscriber with a credit of its own choice gets so many events in all, whatever it answers, until it raises that",
    needs: ["eventService"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("credit-own") });
      const chosen = await join(context, node, "chosen", { credit: 4, reply: () => "ack" });
      await postEvents(context, node, numbered("event", 12));
      await chosen.seen.count(4);
      const marker = await join(context, node, "marker");
      await marker.seen.count(3);
      assert.equal(chosen.seen.items.length, 4, `more than was asked for; ${chosen.seen}`);
      const subscription = subscriptionOf(await chosen.ready);
      subscription.setCredit(6);
      await chosen.seen.count(6);
      subscription.setCredit(2);
      subscription.setCredit(6);
      marker.vanish();
      const rest = await join(context, node, "rest");
      await rest.seen.count(3);
      assert.equal(chosen.seen.items.length, 6, `a credit that was repeated counts again; ${chosen.seen}`);
    },
  },
  {
    id: "E-42",
    sentence: "a subscriber with a credit of 0 gets nothing, and holds up nothing, until it raises that",
    needs: ["eventService"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("credit-none") });
      const none = await join(context, node, "none", { credit: 0 });
      await postEvents(context, node, numbered("event", 6));
      const other = await join(context, node, "other");
      await other.seen.count(3);
      assert.deepEqual(none.seen.items, []);
      subscriptionOf(await none.ready).setCredit(3);
      await none.seen.count(3);
      await together(context, 6, [none, other]);
    },
  },
  {
    id: "E-43",
    sentence:
      "a subscriber that asks for more than it holds is given what comes, in numbers far beyond the usual credit",
    needs: ["eventService"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("credit-many") });
      const many = await join(context, node, "many", { credit: 50 });
      await context.soon(
        Promise.all(numbered("event", 60).map((body) => node.service.post({ body: new TextEncoder().encode(body) }))),
        "posts",
      );
      await many.seen.count(50, 2_000);
    },
  },
];
