import assert from "node:assert";
import type { ContractCase } from "../case.js";
import { Stopwatch } from "../stopwatch.js";
import {
  ack,
  closeService,
  type EventNode,
  event,
  eventNode,
  FORWARDING,
  join,
  joinAcking,
  postEvent,
  postEvents,
  queueHolds,
} from "./steps.js";

/** The process of a server is gone: what it held is back in the queue, and nobody answers for it. */
async function end(context: Parameters<typeof closeService>[0], node: EventNode): Promise<void> {
  await closeService(context, node);
  await context.soon(node.messaging.close({ drainMs: 0 }), "close of the node");
}

/** What is said of events whose server is gone, to another one. */
export const goneServerCases: readonly ContractCase[] = [
  {
    id: "E-100",
    sentence: "an ack whose server is gone resolves in bounded time, and its event is not sent again",
    async run(context) {
      const options = { queue: context.name("server-gone"), ...FORWARDING };
      const [delivering, other] = [await eventNode(context, options), await eventNode(context, options)];
      const client = await join(context, delivering, "reader");
      await postEvents(context, delivering, ["done"]);
      const item = await client.seen.at(0);
      await end(context, delivering);
      const watch = new Stopwatch();
      await ack(context, other, item);
      const { ms: took, undisturbedMs } = watch;
      assert.ok(undisturbedMs < 400 + 1_000, `an ack whose server is gone took ${Math.round(took)} ms`);
      await postEvents(context, other, ["next"]);
      const { seen } = await joinAcking(context, other, "second reader");
      await seen.find(({ text }) => text === "next", "the event posted after");
      await queueHolds(context, [other]);
      assert.deepEqual(
        seen.items.map(({ text }) => text),
        ["next"],
      );
    },
  },
  {
    id: "E-101",
    sentence:
      "that an event is done whose server is gone is told to all servers, also to one that has only posted: none sends it again",
    async run(context) {
      const options = { queue: context.name("told-to-all"), ...FORWARDING };
      const [delivering, asked, third] = [
        await eventNode(context, options),
        await eventNode(context, options),
        await eventNode(context, options),
      ];
      const reader = await join(context, delivering, "reader");
      // It has no subscriber yet, and has posted: so it is one of those that are told.
      await postEvents(context, third, ["done"]);
      const item = await reader.seen.at(0);
      await third.observed.find(({ type }) => type === "subscription", "the third server to listen to the others");
      await end(context, delivering);
      await ack(context, asked, item);
      await context.window(150, "the others have heard of it");
      const { seen } = await joinAcking(context, third, "third reader");
      await postEvents(context, asked, ["next"]);
      await seen.find(({ text }) => text === "next", "the event posted after");
      await queueHolds(context, [asked, third]);
      assert.deepEqual(
        seen.items.map(({ text }) => text),
        ["next"],
      );
    },
  },
  {
    id: "E-102",
    sentence: "a nack whose server is gone resolves, and the event comes again without a failed attempt",
    async run(context) {
      const options = { queue: context.name("nack-gone"), retryScheduleMs: [], ...FORWARDING };
      const [delivering, other] = [await eventNode(context, options), await eventNode(context, options)];
      const client = await join(context, delivering, "reader");
      await postEvents(context, delivering, ["one"]);
      const item = await client.seen.at(0);
      await end(context, delivering);
      await ack(context, other, item, false);
      const { seen } = await joinAcking(context, other, "second reader");
      await seen.count(1);
      await queueHolds(context, [other]);
    },
  },
  {
    id: "E-103",
    sentence: "an ack after its server was started anew ends the event, on a store that can be asked",
    where: { inspection: "all" },
    async run(context) {
      const options = { queue: context.name("restarted") };
      const before = await eventNode(context, options);
      const client = await join(context, before, "reader");
      await postEvents(context, before, ["one"]);
      const item = await client.seen.at(0);
      await end(context, before);
      const after = await eventNode(context, options);
      await ack(context, after, item);
      await ack(context, after, item);
      await queueHolds(context, [after]);
    },
  },
  {
    id: "E-107",
    sentence:
      "an event that is posted under a post id of long ago is delivered, although the one of then is done and its server is gone",
    async run(context) {
      const options = { queue: context.name("same-id"), postIdMemoryMs: 300, ...FORWARDING };
      const [delivering, other] = [await eventNode(context, options), await eventNode(context, options)];
      const client = await join(context, delivering, "reader");
      await postEvent(context, other, event("monday"), { postId: "report" });
      const item = await client.seen.at(0);
      await end(context, delivering);
      await ack(context, other, item);
      await context.window(350, "the post id is forgotten");
      await postEvent(context, other, event("tuesday"), { postId: "report" });
      const { seen } = await joinAcking(context, other, "second reader");
      await seen.find(({ text }) => text === "tuesday", "the event posted later under the same id");
      await queueHolds(context, [other]);
    },
  },
  {
    id: "E-109",
    sentence: "a token that is another event's but for the id ends nothing, also when the server that gave it is gone",
    async run(context) {
      const options = { queue: context.name("forged"), ...FORWARDING };
      const [delivering, other] = [await eventNode(context, options), await eventNode(context, options)];
      const client = await join(context, delivering, "reader");
      await postEvent(context, delivering, event("one"), { postId: "order-7" });
      const item = await client.seen.at(0);
      await end(context, delivering);
      await postEvent(context, other, event("two"), { postId: "order-8" });
      const forged = item.event.ackToken.replace("order-7", "order-8");
      await context.soon(other.service.ack(forged, true), "ack with a forged token");
      const { seen } = await joinAcking(context, other, "second reader");
      await seen.until((items) => new Set(items.map(({ text }) => text)).size === 2, "both events");
      await queueHolds(context, [other]);
    },
  },
];
