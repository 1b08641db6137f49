import assert from "node:assert";
import type { ContractCase } from "../case.js";
import { CLOCK_GRAIN_MS } from "../probe.js";
import { holdsOnly, takeDead } from "../queue/steps.js";
import { Stopwatch } from "../stopwatch.js";
import { numbered } from "../text.js";
import {
  ack,
  event,
  eventNode,
  join,
  joinAcking,
  joining,
  postEvent,
  postEvents,
  queueHolds,
  received,
  subscriptionOf,
  together,
} from "./steps.js";

/** Subscribers that go away, come back, or fight for a name. */
export const subscriberCases: readonly ContractCase[] = [
  {
    id: "E-70",
    sentence: "what a subscriber holds that is gone goes to others at once, under a new ack token; the old one is late",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("gone"), retryScheduleMs: [] });
      const first = await join(context, node, "first");
      await postEvent(context, node, event("one", { userToken: "mine" }));
      const lost = await first.seen.at(0);
      const second = await join(context, node, "second");
      first.vanish();
      const again = await second.seen.at(0);
      assert.deepEqual([again.text, again.event.userToken], ["one", "mine"]);
      assert.notEqual(again.event.ackToken, lost.event.ackToken);
      await ack(context, node, lost, false);
      await ack(context, node, again);
      await queueHolds(context, [node]);
      if (context.capabilities.queue.deadLetter) await holdsOnly(context, node.messaging, `${node.queue}.dead`);
    },
  },
  {
    id: "E-71",
    sentence:
      "what the last subscriber held that is gone goes back to the queue, uses no attempt, and comes with the next one",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("gone-last"), retryScheduleMs: [] });
      const first = await join(context, node, "first");
      await postEvents(context, node, ["one", "two"]);
      await first.seen.count(2);
      first.vanish();
      await context.soon((await first.ready).closed, "the end of the stream");
      const second = await joinAcking(context, node, "second");
      await second.seen.until((items) => new Set(items.map(({ text }) => text)).size === 2, "both events");
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-72",
    sentence: "an event that is lost with so many subscribers in a row takes a step of the schedule, and no sooner",
    async run(context) {
      const options = { queue: context.name("killer"), lossesPerStep: 3, retryScheduleMs: [400] };
      const node = await eventNode(context, options);
      await postEvents(context, node, ["killer"]);
      let lostAt = 0;
      let previous = performance.now();
      for (const id of ["first", "second", "third"]) {
        const client = await join(context, node, id);
        const { at } = await client.seen.at(0);
        assert.ok(at - previous < 4_000, "a loss that is no third one in a row was put off");
        lostAt = previous = performance.now();
        client.vanish();
      }
      const last = await join(context, node, "last");
      const { at } = await last.seen.at(0);
      assert.ok(at - lostAt >= 400 - CLOCK_GRAIN_MS, `came again ${Math.round(at - lostAt)} ms after the third loss`);
    },
  },
  {
    id: "E-73",
    sentence: "a loss counts as none when the client was closed or the server drained",
    async run(context) {
      const options = { queue: context.name("no-loss"), lossesPerStep: 1, retryScheduleMs: [] };
      const node = await eventNode(context, options);
      await postEvents(context, node, ["one"]);
      for (const id of ["first", "second"]) {
        await (await join(context, node, id)).seen.count(1);
        await context.soon(node.service.closeClient(id), "closeClient");
      }
      await (await join(context, node, "third")).seen.count(1);
      await queueHolds(context, [node], ["one"]);
    },
  },
  {
    id: "E-74",
    sentence: "losses of which an event could be the cause are counted: gone and replaced subscribers",
    where: { "queue.deadLetter": true },
    async run(context) {
      const options = { queue: context.name("two-losses"), lossesPerStep: 2, retryScheduleMs: [] };
      const node = await eventNode(context, options);
      await postEvents(context, node, ["one"]);
      await (await join(context, node, "reader")).seen.count(1);
      const newer = await join(context, node, "reader");
      await newer.seen.count(1);
      newer.vanish();
      const dead = await (await takeDead(context, node.messaging, node.queue)).at(0);
      assert.equal(dead.text, "one");
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-75",
    sentence: "a newer subscription of a client gets the events, and ends the old one in order, once",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("newest") });
      const older = await join(context, node, "reader");
      const newer = await join(context, node, "reader", { reply: () => "ack" });
      assert.equal(await context.soon((await older.ready).closed, "the end of the old stream"), undefined);
      await older.ends.count(1);
      await postEvents(context, node, numbered("event", 6));
      await newer.seen.count(6);
      assert.deepEqual([older.ends.items.length, older.seen.items, newer.ends.items], [1, [], []]);
    },
  },
  {
    id: "E-76",
    sentence:
      "a cancel removes only its own stream: one that comes late leaves the newer subscription of the client alone",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("own-cancel"), lossesPerStep: 1_000 });
      let current = await join(context, node, "reader", { reply: () => "ack" });
      for (let round = 0; round < 25; round += 1) {
        const newer = joining(context, node, "reader", { reply: () => "ack" });
        current.vanish();
        await context.soon(newer.ready, "subscribe");
        current = newer;
      }
      await postEvents(context, node, numbered("event", 6));
      await current.seen.count(6);
      assert.deepEqual(current.ends.items, []);
    },
  },
  {
    id: "E-77",
    sentence: "however many fight for a client's name, none has its stream ended before subscribeIntervalMs is over",
    async run(context) {
      const intervalMs = 150;
      const node = await eventNode(context, { queue: context.name("fight"), subscribeIntervalMs: intervalMs });
      const lives: number[] = [];
      let going = true;
      context.atEnd(async () => {
        going = false;
      });
      // Each subscribes again as soon as its stream ends, as clients of the original do.
      const fight = async (): Promise<void> => {
        while (going) {
          const began = performance.now();
          await (await joining(context, node, "contested").ready).closed;
          if (going) lives.push(performance.now() - began);
          // A service that lets it go on at full speed must not keep the case from seeing it.
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      for (let contenders = 0; contenders < 3; contenders += 1) void fight().catch(() => undefined);
      await context.until(
        () => lives.length >= 6,
        () => `6 streams to end; ${lives.length} so far`,
      );
      going = false;
      // A timer that is a little late shortens the next wait by as much.
      const short = lives.filter((ms) => ms < intervalMs * 0.7);
      assert.deepEqual(
        short,
        [],
        `streams that ended sooner than after ${intervalMs} ms; all: ${lives.map(Math.round)}`,
      );
    },
  },
  {
    id: "E-78",
    sentence:
      "a subscribe that waits for its turn is not ended meanwhile, and then gets events; others do not wait for it",
    async run(context) {
      const intervalMs = context.unhurried(600);
      const node = await eventNode(context, { queue: context.name("turn"), subscribeIntervalMs: intervalMs });
      const began = performance.now();
      const first = await join(context, node, "reader");
      const watch = new Stopwatch();
      const second = joining(context, node, "reader", { reply: () => "ack" });
      const other = await join(context, node, "other", { reply: () => "ack" });
      assert.ok(watch.undisturbedMs < intervalMs - 100, "another client waits for a turn that is not its own");
      await first.ends.count(1);
      const waited = (first.ends.items[0] ?? 0) - began;
      const least = intervalMs - 100;
      assert.ok(waited >= least, `the first is replaced after ${Math.round(waited)} ms, sooner than ${least} ms`);
      await context.soon(second.ready, "subscribe");
      await postEvents(context, node, numbered("event", 8));
      await second.seen.count(1);
      await together(context, 8, [second, other]);
      assert.deepEqual(second.ends.items, []);
    },
  },
  {
    id: "E-79",
    sentence:
      "of the subscribes of one client that wait for their turn the newest has it in the end, and the others end in order",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("turns"), subscribeIntervalMs: 100 });
      const older = [
        joining(context, node, "reader"),
        joining(context, node, "reader"),
        joining(context, node, "reader"),
      ];
      const newest = joining(context, node, "reader", { reply: () => "ack" });
      for (const client of older) {
        const { closed } = await context.soon(client.ready, "subscribe");
        assert.equal(await context.soon(closed, "the end of an older stream"), undefined);
      }
      await postEvents(context, node, ["one"]);
      await newest.seen.count(1);
      assert.deepEqual([received(...older), newest.ends.items], [[], []]);
    },
  },
  {
    id: "E-80",
    sentence:
      "the empty client id is a client like any other; one of more than 256 bytes is refused with INVALID_ARGUMENT",
    needs: ["eventService"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("ids") });
      const nameless = await joinAcking(context, node, "");
      await postEvents(context, node, ["one"]);
      await nameless.seen.count(1);
      await context.soon(node.service.closeClient(""), "closeClient");
      await nameless.ends.count(1);
      const attempt = () => node.whole().subscribe("é".repeat(129), { deliver: async () => true });
      await context.refused(async () => void attempt(), "INVALID_ARGUMENT", "subscribe");
    },
  },
  {
    id: "E-81",
    sentence: "a sink that says it is gone loses what it was handed to others, at once",
    needs: ["eventService"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("says-gone") });
      const ends = context.collector<string>("ends", String);
      const { closed } = node.whole().subscribe("leaving", { deliver: async () => false, end: () => ends.add("end") });
      await postEvents(context, node, ["one"]);
      await context.soon(closed, "the end of the subscription");
      const { seen } = await joinAcking(context, node, "reader");
      await seen.count(1);
      await queueHolds(context, [node]);
      assert.equal(ends.items.length, 1);
    },
  },
  {
    id: "E-82",
    sentence:
      "a subscription comes through lost links: it is recovering, live again, and its client gets what is posted then",
    needs: ["dropConnections", "eventService"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("through") });
      const client = await joinAcking(context, node, "reader");
      const subscription = subscriptionOf(await client.ready);
      await postEvents(context, node, ["before"]);
      await client.seen.count(1);
      assert.equal(subscription.state, "live");
      await context.dropConnections();
      await context.soon(node.service.post(event("after")), "post", context.recoveryMs);
      await client.seen.find((item) => item.text === "after", "the event posted after", context.recoveryMs);
      await context.until(
        () => subscription.state === "live",
        () => `state live; it is ${subscription.state}`,
      );
      assert.deepEqual(client.ends.items, []);
    },
  },
];
