import assert from "node:assert";
import type { ContractCase } from "../case.js";
import { CLOCK_GRAIN_MS } from "../probe.js";
import { Stopwatch } from "../stopwatch.js";
import { forgetfulDriver } from "./forgetful-driver.js";
import { ack, event, eventNode, FORWARDING, join, joinAcking, postEvent, postEvents, queueHolds } from "./steps.js";

/** Where the other server answers, however slow the machine is. */
const UNHURRIED_FORWARDING = { ...FORWARDING, ackForwardTimeoutMs: 4_000 } as const;

/** Several servers on one queue, and clients that speak to any of them. */
export const serverCases: readonly ContractCase[] = [
  {
    id: "E-95",
    sentence: "an ack at another server than the one that delivered ends the event: it does not come again",
    async run(context) {
      const options = { queue: context.name("ack-far"), ...UNHURRIED_FORWARDING };
      const [delivering, other] = [await eventNode(context, options), await eventNode(context, options)];
      const { seen } = await join(context, delivering, "reader");
      await postEvents(context, other, ["one", "two"]);
      for (const item of (await seen.count(2)).slice(0, 2)) await ack(context, other, item);
      await queueHolds(context, [delivering, other]);
      assert.equal(seen.items.length, 2);
    },
  },
  {
    id: "E-96",
    sentence: "an ack at another server says what it came to at the server that delivered: acked, nacked, repeated",
    needs: ["eventService"],
    async run(context) {
      // Nor is it asked again: a store that can be asked is, after one interval, and tells no outcome.
      const options = { queue: context.name("outcome-far"), ...UNHURRIED_FORWARDING, ackForwardIntervalMs: 4_000 };
      const [delivering, other] = [await eventNode(context, options), await eventNode(context, options)];
      const { seen } = await join(context, delivering, "reader");
      await postEvents(context, other, ["one", "two"]);
      const [one, two] = await seen.count(2);
      assert.ok(one !== undefined && two !== undefined);
      assert.equal(await ack(context, other, one), "acked");
      assert.equal(await ack(context, other, one), "repeated");
      assert.equal(await ack(context, delivering, one), "repeated");
      assert.equal(await ack(context, other, two, false), "nacked");
      const { acked, nacked } = delivering.whole().counts;
      assert.deepEqual([acked, nacked], [1, 1]);
    },
  },
  {
    id: "E-97",
    sentence: "a nack at another server brings the event again with the next step of the schedule",
    async run(context) {
      const options = { queue: context.name("nack-far"), retryScheduleMs: [150], ...UNHURRIED_FORWARDING };
      const [delivering, other] = [await eventNode(context, options), await eventNode(context, options)];
      const { seen } = await join(context, delivering, "reader");
      await postEvents(context, other, ["one"]);
      const first = await seen.at(0);
      const nackedAt = performance.now();
      await ack(context, other, first, false);
      const second = await seen.at(1);
      const waited = second.at - nackedAt;
      assert.ok(waited >= 150 - CLOCK_GRAIN_MS, `came again after ${Math.round(waited)} ms instead of 150`);
      await ack(context, other, second);
      await queueHolds(context, [delivering, other]);
    },
  },
  {
    id: "E-98",
    sentence: "an ack that is lost on its way to the server that delivered is sent again, and ends the event",
    needs: ["createDriver", "eventService"],
    async run(context) {
      const options = { queue: context.name("ack-lost"), ...UNHURRIED_FORWARDING };
      const delivering = await eventNode(context, options);
      const other = await eventNode(context, options, context.nodeOver(forgetfulDriver(context.driver(), 2)));
      const { seen } = await join(context, delivering, "reader");
      await postEvents(context, delivering, ["one"]);
      const outcome = await ack(context, other, await seen.at(0));
      // A store that can be asked is told without another word to the server.
      if (context.capabilities.inspection !== "all") assert.equal(outcome, "acked");
      await queueHolds(context, [delivering, other]);
    },
  },
  {
    id: "E-99",
    sentence:
      "the answer to an ack at another server may be lost: asked again, the server that delivered says the same",
    needs: ["createDriver", "eventService"],
    async run(context) {
      const options = { queue: context.name("answer-lost"), ...UNHURRIED_FORWARDING };
      const delivering = await eventNode(context, options, context.nodeOver(forgetfulDriver(context.driver(), 2)));
      const other = await eventNode(context, options);
      const { seen } = await join(context, delivering, "reader");
      await postEvents(context, delivering, ["one"]);
      const outcome = await ack(context, other, await seen.at(0));
      const { acked, repeatedAcks } = delivering.whole().counts;
      if (context.capabilities.inspection !== "all") assert.deepEqual([outcome, acked], ["acked", 1]);
      assert.equal(repeatedAcks, 0);
      await queueHolds(context, [delivering, other]);
    },
  },
  {
    id: "E-104",
    sentence: "an ack of nobody's token at another server is unknown at once, without asking around",
    needs: ["eventService"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("nobody") });
      await join(context, node, "reader");
      const watch = new Stopwatch();
      const outcomes = await context.soon(
        Promise.all(["", "nonsense", "x".repeat(1_000)].map((token) => node.service.ack(token, true))),
        "acks",
      );
      assert.deepEqual(outcomes, ["unknown", "unknown", "unknown"]);
      assert.ok(watch.undisturbedMs < 1_000, "an ack of nobody's token waited for an answer");
    },
  },
  {
    id: "E-105",
    sentence: "an event that another server got back under a new token is not ended by an ack with the old one",
    async run(context) {
      const options = { queue: context.name("fenced"), retryScheduleMs: [20, 20], ...FORWARDING };
      const [first, second] = [await eventNode(context, options), await eventNode(context, options)];
      const client = await join(context, first, "reader");
      await postEvents(context, first, ["one"]);
      const old = await client.seen.at(0);
      client.vanish();
      const other = await join(context, second, "other");
      const again = await other.seen.at(0);
      await ack(context, second, old, false);
      await ack(context, first, old, true);
      await ack(context, second, again);
      await queueHolds(context, [first, second]);
      assert.equal(other.seen.items.length, 1);
    },
  },
  {
    id: "E-108",
    sentence: "an ack with the token of another queue ends nothing, whatever the ids of the events",
    async run(context) {
      const name = context.name("foreign-queue");
      const shared = await context.node();
      const one = await eventNode(context, { queue: name, ...FORWARDING }, shared);
      const other = await eventNode(context, { queue: `${name} out`, ...FORWARDING }, shared);
      const near = await join(context, one, "reader");
      for (const node of [one, other]) await postEvent(context, node, event(node.queue), { postId: "order-7" });
      const item = await near.seen.at(0);
      await ack(context, other, item);
      const far = await join(context, other, "reader");
      await ack(context, other, await far.seen.at(0));
      await ack(context, one, item);
      await queueHolds(context, [one]);
      await queueHolds(context, [other]);
      assert.equal(near.seen.items.length, 1);
    },
  },
  {
    id: "E-106",
    sentence: "events that are posted at several servers while links are cut are all delivered",
    needs: ["dropConnections"],
    limitMs: 60_000,
    async run(context) {
      const options = { queue: context.name("cuts"), ...FORWARDING };
      const nodes = [await eventNode(context, options), await eventNode(context, options)];
      const clients = await Promise.all(nodes.map((node, index) => joinAcking(context, node, `reader-${index}`)));
      const bodies = Array.from({ length: 60 }, (_, index) => `event-${index}`);
      const posts = Promise.all(bodies.map((body, index) => (nodes[index % 2] ?? nodes[0])?.service.post(event(body))));
      posts.catch(() => undefined);
      await Promise.race(clients.map(({ seen }) => seen.count(3)));
      await context.dropConnections();
      await context.soon(posts, "posts", context.recoveryMs);
      await context.until(
        () => new Set(clients.flatMap(({ seen }) => seen.items.map(({ text }) => text))).size === bodies.length,
        () => clients.map(({ seen }) => String(seen)).join("; "),
        context.recoveryMs,
      );
    },
  },
];
