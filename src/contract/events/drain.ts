import assert from "node:assert";
import { MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import { holdsOnly } from "../queue/steps.js";
import { bytes, numbered } from "../text.js";
import { ack, type Client, event, eventNode, join, joinAcking, postEvents, queueHolds, received } from "./steps.js";

/** The end of a service: what is out may still be acknowledged, what is not goes back whole. */
export const drainCases: readonly ContractCase[] = [
  {
    id: "E-110",
    sentence: "close waits for the acks of what is out: they count, and the events do not come again",
    async run(context) {
      const options = { queue: context.name("drain") };
      const node = await eventNode(context, options);
      const client = await join(context, node, "reader");
      await postEvents(context, node, ["one", "two"]);
      const items = await client.seen.count(2);
      const closing = node.service.close({ drainMs: 20_000 });
      let closed = false;
      void closing.then(() => {
        closed = true;
      });
      await context.window(50, "a close that does not wait is over");
      assert.equal(closed, false, "close did not wait for the acks");
      for (const item of items.slice(0, 2)) await ack(context, node, item);
      await context.soon(closing, "close");
      await client.ends.count(1);
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-111",
    sentence: "what is not acknowledged within drainMs goes back to the queue, and uses no attempt",
    async run(context) {
      const options = { queue: context.name("drain-over"), retryScheduleMs: [], lossesPerStep: 1 };
      const node = await eventNode(context, options);
      const client = await join(context, node, "reader");
      await postEvents(context, node, ["one", "two"]);
      await client.seen.count(2);
      await context.soon(node.service.close({ drainMs: 50 }), "close");
      await client.ends.count(1);
      const other = await eventNode(context, options);
      const { seen } = await joinAcking(context, other, "reader");
      await seen.count(2);
      await queueHolds(context, [other]);
      if (context.capabilities.queue.deadLetter) await holdsOnly(context, other.messaging, `${options.queue}.dead`);
    },
  },
  {
    id: "E-112",
    sentence: "from its close on a service hands over nothing more, and other servers get what comes",
    async run(context) {
      const options = { queue: context.name("drain-others") };
      const [closing, other] = [await eventNode(context, options), await eventNode(context, options)];
      const client = await join(context, closing, "reader");
      await postEvents(context, other, ["held"]);
      const held = await client.seen.at(0);
      const closed = closing.service.close({ drainMs: 20_000 });
      const bodies = numbered("event", 10);
      await postEvents(context, other, bodies);
      const { seen } = await joinAcking(context, other, "reader");
      await seen.count(bodies.length);
      await ack(context, closing, held);
      await context.soon(closed, "close");
      assert.deepEqual(received(client), ["held"]);
      assert.deepEqual(seen.items.map(({ text }) => text).sort(), [...bodies].sort());
      await queueHolds(context, [other]);
    },
  },
  {
    id: "E-113",
    sentence:
      "from its close on a service refuses posts and subscribes with CLOSED, and still resolves acks and closes",
    needs: ["eventService"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("refuses") });
      const client = await join(context, node, "reader");
      await postEvents(context, node, ["one"]);
      const item = await client.seen.at(0);
      const closing = node.service.close({ drainMs: 20_000 });
      await context.refused(() => node.service.post(event("two")), "CLOSED", "post");
      const subscribe = () => node.whole().subscribe("late", { deliver: async () => true });
      await context.refused(async () => void subscribe(), "CLOSED", "subscribe");
      assert.equal(await ack(context, node, item), "acked");
      await context.soon(closing, "close");
      assert.equal(await context.soon(node.whole().closed, "closed"), undefined);
      await context.soon(node.service.closeClient("reader"), "closeClient");
      await ack(context, node, item);
      await context.soon(node.service.close(), "close, again");
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-114",
    sentence: "close ends each stream once, when nothing more can come, also those without events",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("ends") });
      const clients: Client[] = [];
      for (const id of numbered("reader", 4)) clients.push(await joinAcking(context, node, id));
      await postEvents(context, node, numbered("event", 4));
      await context.soon(node.service.close({ drainMs: 2_000 }), "close");
      for (const client of clients) await client.ends.count(1);
      assert.deepEqual(
        clients.map(({ ends }) => ends.items.length),
        [1, 1, 1, 1],
      );
    },
  },
  {
    id: "E-115",
    sentence: "a post that is under way at the close is stored or refused before the close resolves",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("last-posts") });
      await postEvents(context, node, ["first"]);
      const stored: string[] = ["first"];
      const posts = numbered("event", 30).map((body) =>
        node.service.post(event(body)).then(
          () => stored.push(body),
          () => undefined,
        ),
      );
      await context.soon(node.service.close({ drainMs: 5_000 }), "close");
      await context.soon(Promise.all(posts), "posts");
      // One that was refused may be stored all the same; none that was answered with OK may be missing.
      const { messaging, queue } = node;
      const seen = context.collector<string>("events", String);
      await context.soon(messaging.queue(queue).publish({ body: bytes("marker") }), "publish");
      await context.soon(
        messaging
          .queue(queue)
          .consume(
            async ({ body }) => seen.add(new TextDecoder().decode(body)),
            context.capabilities.queue.deadLetter
              ? {}
              : { maxAttempts: Number.POSITIVE_INFINITY, maxDeliveries: Number.POSITIVE_INFINITY },
          ),
        "consume",
      );
      await seen.find((body) => body === "marker", "the marker");
      assert.deepEqual(
        stored.filter((body) => !seen.items.includes(body)),
        [],
      );
    },
  },
  {
    id: "E-116",
    sentence: "a service whose Messaging closes is closed with CLOSED, its streams are ended, and its events are kept",
    needs: ["eventService"],
    async run(context) {
      const options = { queue: context.name("lower") };
      const node = await eventNode(context, options);
      const client = await join(context, node, "reader");
      await postEvents(context, node, ["one"]);
      await client.seen.count(1);
      await context.soon(node.messaging.close({ drainMs: 0 }), "close of the Messaging");
      const error = await context.soon(node.whole().closed, "closed");
      assert.ok(MessagingError.is(error, "CLOSED"), `closed with ${String(error)} instead of CLOSED`);
      await client.ends.count(1);
      const other = await eventNode(context, options);
      await (await joinAcking(context, other, "reader")).seen.count(1);
    },
  },
];
