import assert from "node:assert";
import type { ContractCase } from "../case.js";
import type { ContractContext } from "../context.js";
import { numbered } from "../text.js";
import {
  ack,
  type Client,
  type EventNode,
  event,
  eventNode,
  join,
  joinAcking,
  joining,
  postEvents,
  queueHolds,
  type Received,
  type Reply,
  together,
} from "./steps.js";

/** What is there now. */
function left(node: EventNode) {
  const { subscribers, waitingSubscribes, outstanding, waiting } = node.whole().counts;
  return { subscribers, waitingSubscribes, outstanding, waiting };
}

async function nothingLeft(context: ContractContext, node: EventNode): Promise<void> {
  await context.until(
    () => Object.values(left(node)).every((count) => count === 0),
    () => `nothing to be left; ${JSON.stringify(left(node))}`,
  );
}

/** So many clients subscribe at once; half of them vanish, half are closed. Resolves when the streams of all have ended. */
async function comeAndGo(context: ContractContext, node: EventNode, count: number): Promise<void> {
  const rush = numbered("reader", count).map(async (id, index) => {
    const client = joining(context, node, id);
    const { closed } = await client.ready;
    if (index % 2 === 0) client.vanish();
    else await node.service.closeClient(id);
    await closed;
  });
  await context.soon(Promise.all(rush), `${count} subscribes and ends`, 10_000);
}

/** What must not grow, whatever clients do. */
export const boundCases: readonly ContractCase[] = [
  {
    id: "E-120",
    sentence: "when all is done nothing is left: no subscribers, none that wait, no events that are out or wait",
    needs: ["eventService"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("nothing-left"), retryScheduleMs: [10] });
      const clients: Client[] = [];
      const nacked = new Set<string>();
      // Each once at most: there is one retry.
      const reply = ({ text }: Received, index: number): Reply => {
        if (index % 4 !== 3 || nacked.has(text)) return "ack";
        nacked.add(text);
        return "nack";
      };
      for (const id of numbered("reader", 5)) clients.push(await join(context, node, id, { reply }));
      await context.soon(Promise.all(numbered("event", 60).map((body) => node.service.post(event(body)))), "posts");
      const bodies = () => new Set(clients.flatMap(({ seen }) => seen.items.map(({ text }) => text))).size;
      await context.until(
        () => bodies() === 60 && node.whole().counts.acked === 60,
        () => `60 events to be done; ${bodies()} seen, ${JSON.stringify(node.whole().counts)}`,
      );
      assert.deepEqual(left(node), { subscribers: 5, waitingSubscribes: 0, outstanding: 0, waiting: 0 });
      for (const client of clients) client.vanish();
      await nothingLeft(context, node);
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-121",
    sentence: "the streams of hundreds of clients that come and go at once all end, and the next client is served",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("rush"), lossesPerStep: 1_000 });
      await postEvents(context, node, numbered("event", 5));
      await comeAndGo(context, node, 200);
      const { seen } = await joinAcking(context, node, "reader");
      await seen.until((items) => new Set(items.map(({ text }) => text)).size === 5, "all five events");
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-122",
    sentence:
      "one client that subscribes hundreds of times at once has one stream in the end, and the server serves others",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("one-name"), subscribeIntervalMs: 50 });
      const other = await joinAcking(context, node, "other");
      const streams = numbered("subscribe", 150).map(() => joining(context, node, "greedy"));
      await postEvents(context, node, ["one"]);
      await together(context, 1, [other, ...streams]);
      const ended = () => streams.filter(({ ends }) => ends.items.length > 0).length;
      await context.until(
        () => ended() >= streams.length - 1,
        () => `${streams.length - 1} streams to end; ${ended()} have`,
      );
      await context.window(200, "four times the interval after which another stream could take over");
      assert.equal(ended(), streams.length - 1, "streams that have ended");
      await context.soon(node.service.closeClient("greedy"), "closeClient");
      for (const { ready } of streams) await context.soon((await context.soon(ready, "subscribe")).closed, "closed");
      await postEvents(context, node, ["two"]);
      await other.seen.find(({ text }) => text === "two", "the event posted after");
    },
  },
  {
    id: "E-124",
    sentence: "hundreds of clients that come and go at once leave no subscriber behind, and no event that is out",
    needs: ["eventService"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("rush-counted"), lossesPerStep: 1_000 });
      await postEvents(context, node, numbered("event", 5));
      await comeAndGo(context, node, 200);
      await nothingLeft(context, node);
      await joinAcking(context, node, "reader");
      assert.equal(left(node).subscribers, 1);
    },
  },
  {
    id: "E-125",
    sentence:
      "one client that subscribes hundreds of times at once is one subscriber in the end, and none when it is closed",
    needs: ["eventService"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("one-name-counted"), subscribeIntervalMs: 50 });
      for (const _ of numbered("subscribe", 150)) joining(context, node, "greedy");
      await context.until(
        () => left(node).waitingSubscribes === 0,
        () => `no subscribe to wait; ${JSON.stringify(left(node))}`,
      );
      assert.equal(left(node).subscribers, 1);
      await context.soon(node.service.closeClient("greedy"), "closeClient");
      await nothingLeft(context, node);
    },
  },
  {
    id: "E-123",
    sentence: "what is told of an event is told once: joined and gone subscribers, and each ack that is ignored",
    needs: ["eventService"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("observed") });
      const client = await join(context, node, "reader");
      await postEvents(context, node, ["one"]);
      await client.seen.count(1);
      client.vanish();
      const told = (change: string) =>
        node.observed.items.filter(
          (item) => item.type === "event-subscriber" && item.clientId === "reader" && item.change === change,
        );
      await context.until(
        () => told("gone").length > 0,
        () => `the subscriber to be told as gone; ${node.observed}`,
      );
      await ack(context, node, await client.seen.at(0));
      await context.soon(node.service.ack("no token", false), "ack");
      const ignored = node.observed.items.flatMap((item) => (item.type === "event-ack-ignored" ? [item.reason] : []));
      assert.deepEqual([told("joined").length, told("gone").length, ignored], [1, 1, ["late", "unknown"]]);
      const [gone] = told("gone");
      assert.equal(gone?.type === "event-subscriber" ? gone.unacknowledged : undefined, 1);
    },
  },
];
