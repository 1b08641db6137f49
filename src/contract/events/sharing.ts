import assert from "node:assert";
import type { ContractCase } from "../case.js";
import { numbered } from "../text.js";
import {
  ack,
  type Client,
  closeService,
  event,
  eventNode,
  join,
  joinAcking,
  joining,
  LONG_MS,
  postEvents,
  queueHolds,
  received,
  together,
} from "./steps.js";

const MOST_ROUNDS = 20;

/** Which subscriber gets an event, and what happens while there is none. */
export const sharingCases: readonly ContractCase[] = [
  {
    id: "E-25",
    sentence: "each event goes to exactly one of the subscribers, wherever they are, and each subscriber gets some",
    async run(context) {
      const options = { queue: context.name("sharing") };
      const [near, far] = [await eventNode(context, options), await eventNode(context, options)];
      const clients = [
        await joinAcking(context, near, "near-1"),
        await joinAcking(context, near, "near-2"),
        await joinAcking(context, far, "far-1"),
      ];
      const bodies: string[] = [];
      const isLeftOut = (): boolean => clients.some(({ seen }) => seen.items.length === 0);
      // A server that has just begun to take may come too late for the first ones.
      for (let round = 0; round === 0 || (isLeftOut() && round < MOST_ROUNDS); round += 1) {
        const more = numbered(`event ${round}`, 60);
        bodies.push(...more);
        await context.soon(
          Promise.all(more.map((body, index) => (index % 2 === 0 ? near : far).service.post(event(body)))),
          "posts",
        );
        await together(context, bodies.length, clients);
      }
      assert.deepEqual(received(...clients).sort(), [...bodies].sort());
      for (const { seen } of clients) assert.ok(seen.items.length > 0, `a subscriber got nothing; ${seen}`);
      await queueHolds(context, [near, far]);
    },
  },
  {
    id: "E-26",
    sentence: "the subscriber with the least outstanding is served first",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("fair") });
      const clients: Client[] = [];
      for (const id of ["a", "b", "c"]) clients.push(await join(context, node, id));
      await postEvents(context, node, numbered("event", 3));
      await together(context, 3, clients);
      assert.deepEqual(
        clients.map(({ seen }) => seen.items.length),
        [1, 1, 1],
      );
      await postEvents(context, node, numbered("more", 3));
      await together(context, 6, clients);
      assert.deepEqual(
        clients.map(({ seen }) => seen.items.length),
        [2, 2, 2],
      );
    },
  },
  {
    id: "E-27",
    sentence: "a subscriber that never answers slows no other",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("stuck") });
      const stuck = await join(context, node, "stuck");
      await postEvents(context, node, numbered("held", 3));
      await stuck.seen.count(3);
      const lively = await joinAcking(context, node, "lively");
      const bodies = numbered("event", 40);
      await context.soon(Promise.all(bodies.map((body) => node.service.post(event(body)))), "posts");
      await lively.seen.count(bodies.length);
      assert.deepEqual(received(lively).sort(), [...bodies].sort());
      assert.equal(stuck.seen.items.length, 3);
    },
  },
  {
    id: "E-28",
    sentence:
      "a subscriber whose sink has no room is handed nothing more until it has, and others are served meanwhile",
    needs: ["eventService"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("no-room") });
      const gate = context.gate();
      const seen = context.collector<string>("events without room", String);
      node.whole().subscribe("full", {
        async deliver({ body }) {
          seen.add(new TextDecoder().decode(body));
          await gate.wait();
          return true;
        },
      });
      await postEvents(context, node, ["first"]);
      await seen.count(1);
      await postEvents(context, node, numbered("event", 4));
      const lively = await joinAcking(context, node, "lively");
      await lively.seen.count(4);
      assert.deepEqual(seen.items, ["first"]);
      await context.soon(node.service.closeClient("lively"), "closeClient");
      await postEvents(context, node, ["second"]);
      gate.open();
      await seen.count(2);
    },
  },
  {
    id: "E-29",
    sentence: "while nobody subscribes, events are kept, and that uses no attempt, however long it takes",
    async run(context) {
      // With no schedule the first failed attempt is the last.
      const options = { queue: context.name("nobody"), ackTimeoutMs: 40, retryScheduleMs: [] };
      const node = await eventNode(context, options);
      await postEvents(context, node, ["one", "two"]);
      await context.window(160, "four times what an attempt takes to fail");
      const { seen } = await joinAcking(context, node, "reader");
      await seen.count(2);
      assert.deepEqual(
        seen.items.map((item) => item.text),
        ["one", "two"],
      );
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-30",
    sentence: "after the last subscriber has gone nothing is taken from the queue, and no attempt is used",
    async run(context) {
      const options = { queue: context.name("nobody-left"), ackTimeoutMs: 40, retryScheduleMs: [] };
      const node = await eventNode(context, options);
      const first = await joinAcking(context, node, "first");
      await postEvents(context, node, ["one"]);
      await first.seen.count(1);
      await context.soon(node.service.closeClient("first"), "closeClient");
      await postEvents(context, node, ["two", "three"]);
      await context.window(160, "four times what an attempt takes to fail");
      const { seen } = await joinAcking(context, node, "second");
      await seen.count(2);
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-31",
    sentence: "a server without subscribers takes no events from those that have some, and delays none",
    async run(context) {
      const options = { queue: context.name("spare") };
      const [spare, serving] = [await eventNode(context, options), await eventNode(context, options)];
      // It has had one, so that it has a consumer.
      await join(context, spare, "short");
      await context.soon(spare.service.closeClient("short"), "closeClient");
      const bodies = numbered("event", 20);
      await postEvents(context, spare, bodies);
      const { seen } = await joinAcking(context, serving, "reader");
      await seen.count(bodies.length);
      await queueHolds(context, [spare, serving]);
    },
  },
  {
    id: "E-32",
    sentence: "an event that no subscriber of a server has room for goes to one of another server",
    async run(context) {
      const ackTimeoutMs = context.unhurried(400);
      const options = { queue: context.name("makes-room"), ackTimeoutMs, retryScheduleMs: [LONG_MS] };
      const [full, free] = [await eventNode(context, options), await eventNode(context, options)];
      const stuck = await join(context, full, "stuck");
      await postEvents(context, full, numbered("event", 8));
      await stuck.seen.count(3);
      const reader = await joinAcking(context, free, "reader");
      // Three, and where the reader was late one for each time that they were lost since.
      const had = stuck.seen.items.length;
      // What a server took beyond the credit of its subscribers it gives back, at the latest when an attempt would be over.
      await context.until(
        () => new Set(received(stuck, reader)).size === 8,
        () => `eight events; ${stuck.seen}; ${reader.seen}`,
      );
      assert.ok(reader.seen.items.length >= 8 - had - 1, `the free subscriber got too little; ${reader.seen}`);
    },
  },
  {
    id: "E-33",
    sentence: "with deliver: false nothing is taken from the queue, posts go on, and subscribers wait",
    async run(context) {
      const options = { queue: context.name("switched-off") };
      const off = await eventNode(context, { ...options, deliver: false });
      const waiting = await join(context, off, "waiting");
      await postEvents(context, off, ["one", "two"]);
      const on = await eventNode(context, options);
      const { seen } = await joinAcking(context, on, "reader");
      await seen.count(2);
      assert.deepEqual([waiting.seen.items, waiting.ends.items], [[], []]);
      await queueHolds(context, [off, on]);
    },
  },
  {
    id: "E-34",
    sentence: "subscribers of the same queue share its events, and those of other queues get none of them",
    async run(context) {
      const name = context.name("queues");
      const [one, other] = [
        await eventNode(context, { queue: name }),
        await eventNode(context, { queue: `${name} out` }),
      ];
      const stranger = await joinAcking(context, other, "reader");
      const { seen } = await join(context, one, "reader");
      await postEvents(context, one, ["one"]);
      await postEvents(context, other, ["other"]);
      await ack(context, one, await seen.at(0));
      await stranger.seen.count(1);
      assert.deepEqual([received(stranger), seen.items.map(({ text }) => text)], [["other"], ["one"]]);
      await closeService(context, one);
      await closeService(context, other);
    },
  },
  {
    id: "E-35",
    sentence: "the first posts and subscribes of a queue that nobody has used yet may come to a server at once",
    async run(context) {
      for (let round = 0; round < 4; round += 1) {
        const node = await eventNode(context, { queue: context.name("fresh"), isFresh: true });
        const client = joining(context, node, "reader", { reply: () => "ack" });
        await Promise.all([postEvents(context, node, ["one"]), postEvents(context, node, ["two"])]);
        await client.seen.count(2);
      }
    },
  },
];
