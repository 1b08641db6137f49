import assert from "node:assert";
import type { ContractCase } from "../case.js";
import { Stopwatch } from "../stopwatch.js";
import { numbered } from "../text.js";
import { ack, eventNode, join, joinAcking, joining, postEvents, queueHolds } from "./steps.js";

/** Ends that clients ask for. */
export const closeClientCases: readonly ContractCase[] = [
  {
    id: "E-85",
    sentence: "closeClient resolves when the client's stream has ended, in order and once",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("close"), closeForwardTimeoutMs: 150 });
      for (const id of ["one", "two", "three"]) {
        const client = await join(context, node, id);
        const stream = await client.ready;
        await context.soon(node.service.closeClient(id), "closeClient");
        assert.equal(client.ends.items.length, 1, "closeClient resolved before the stream had ended");
        assert.equal(await context.soon(stream.closed, "closed"), undefined);
        client.vanish();
        await context.soon(node.service.closeClient(id), "closeClient, again");
        assert.equal(client.ends.items.length, 1);
      }
    },
  },
  {
    id: "E-86",
    sentence: "closeClient of a client that nobody knows resolves, also many at once, within closeForwardTimeoutMs",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("close-unknown"), closeForwardTimeoutMs: 300 });
      const { seen } = await joinAcking(context, node, "reader");
      const watch = new Stopwatch();
      const closes = ["", "nobody", ...numbered("nobody", 50)].map((id) => node.service.closeClient(id));
      await context.soon(Promise.all(closes), "closeClient");
      const { ms: took, undisturbedMs } = watch;
      assert.ok(undisturbedMs < 1_500, `closeClient of unknown clients took ${Math.round(took)} ms`);
      await postEvents(context, node, ["one"]);
      await seen.count(1);
    },
  },
  {
    id: "E-87",
    sentence: "what a client held that is closed goes to others at once, and other clients keep theirs",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("close-held") });
      const [leaving, staying] = [await join(context, node, "leaving"), await join(context, node, "staying")];
      await postEvents(context, node, ["one", "two"]);
      const kept = await staying.seen.at(0);
      const passed = await leaving.seen.at(0);
      await context.soon(node.service.closeClient("leaving"), "closeClient");
      const again = await staying.seen.at(1);
      assert.equal(again.text, passed.text);
      await ack(context, node, kept);
      await ack(context, node, again);
      assert.deepEqual(staying.ends.items, []);
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-88",
    sentence: "closeClient at one server ends the client's stream at another before it resolves, within a second",
    async run(context) {
      const options = { queue: context.name("close-far") };
      const [near, far] = [await eventNode(context, options), await eventNode(context, options)];
      const client = await join(context, far, "reader");
      const stays = await join(context, far, "stays");
      await postEvents(context, near, ["one"]);
      await Promise.race([client.seen.count(1), stays.seen.count(1)]);
      const watch = new Stopwatch();
      await context.soon(near.service.closeClient("reader"), "closeClient");
      const { ms: took, undisturbedMs } = watch;
      // The stream ended there; its client is told over a way of its own.
      await client.ends.count(1);
      const lateMs = watch.undisturbedMs - undisturbedMs;
      assert.ok(undisturbedMs < 1_300, `closeClient took ${Math.round(took)} ms`);
      assert.ok(lateMs <= 100, `closeClient resolved ${Math.round(lateMs)} ms before the stream ended`);
      assert.deepEqual(stays.ends.items, []);
      await stays.seen.count(1);
    },
  },
  {
    id: "E-89",
    sentence: "closeClient ends the streams that a client has at several servers",
    async run(context) {
      const options = { queue: context.name("close-all") };
      const [near, far] = [await eventNode(context, options), await eventNode(context, options)];
      const clients = [await join(context, near, "reader"), await join(context, far, "reader")];
      await context.soon(near.service.closeClient("reader"), "closeClient");
      for (const client of clients) {
        await client.ends.count(1);
        assert.equal(await context.soon((await client.ready).closed, "closed"), undefined);
      }
    },
  },
  {
    id: "E-90",
    sentence: "closeClient ends a subscribe that still waits for its turn, too",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("close-waiting"), subscribeIntervalMs: 2_000 });
      const live = await join(context, node, "reader");
      const waiting = joining(context, node, "reader");
      await context.window(50, "the second subscribe has reached the service");
      await context.soon(node.service.closeClient("reader"), "closeClient");
      await live.ends.count(1);
      await waiting.ends.count(1);
      assert.deepEqual([live.ends.items.length, waiting.ends.items.length], [1, 1]);
    },
  },
  {
    id: "E-91",
    sentence: "closeClient does not wait longer than endTimeoutMs for a stream that cannot end",
    needs: ["eventService"],
    async run(context) {
      const options = { queue: context.name("close-hung"), endTimeoutMs: 100, closeForwardTimeoutMs: 100 };
      const node = await eventNode(context, options);
      const never = new Promise<void>(() => {});
      const { closed } = node.whole().subscribe("hung", { deliver: async () => true, end: () => never });
      const watch = new Stopwatch();
      await context.soon(node.service.closeClient("hung"), "closeClient");
      await context.soon(closed, "closed");
      assert.ok(watch.undisturbedMs < 1_500, "closeClient waited for what never ends");
    },
  },
];
