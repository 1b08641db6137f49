import assert from "node:assert";
import type { ContractCase } from "../case.js";
import { post, take, texts } from "../queue/steps.js";
import { bytes, numbered } from "../text.js";
import { listen, tell, words } from "./steps.js";

/** Who hears what. */
export const reachCases: readonly ContractCase[] = [
  {
    id: "B-01",
    sentence: "a broadcast reaches every node that listens, once",
    async run(context) {
      const name = context.name("all");
      const listenings = [];
      for (let count = 0; count < 3; count += 1) {
        listenings.push(await listen(context, (await context.node()).messaging.broadcast(name)));
      }
      const sender = (await context.node()).messaging.broadcast(name);
      await tell(context, sender, "one");
      await tell(context, sender, "marker");
      for (const { heard } of listenings) {
        await heard.count(2);
        assert.deepEqual(words(heard), ["one", "marker"]);
      }
    },
  },
  {
    id: "B-02",
    sentence: "a broadcast that is addressed to a node reaches that node only",
    async run(context) {
      const name = context.name("addressed");
      const nodes = [await context.node(), await context.node(), await context.node()];
      const listenings = [];
      for (const { messaging } of nodes) listenings.push(await listen(context, messaging.broadcast(name)));
      const sender = (await context.node()).messaging.broadcast(name);
      await tell(context, sender, "for the second", { node: nodes[1]?.messaging.nodeId });
      await tell(context, sender, "marker");
      for (const [index, { heard }] of listenings.entries()) {
        await heard.find((item) => item.text === "marker", "the marker");
        assert.deepEqual(words(heard), index === 1 ? ["for the second", "marker"] : ["marker"]);
      }
    },
  },
  {
    id: "B-03",
    sentence: "a subscription for another node id hears what is for that node and for all, and not what is for its own",
    async run(context) {
      const name = context.name("stand-in");
      const { messaging } = await context.node();
      const other = context.name("node");
      const { heard } = await listen(context, messaging.broadcast(name), { node: other });
      const sender = (await context.node()).messaging.broadcast(name);
      await tell(context, sender, "own", { node: messaging.nodeId });
      await tell(context, sender, "other", { node: other });
      await tell(context, sender, "all");
      await heard.count(2);
      assert.deepEqual(words(heard), ["other", "all"]);
    },
  },
  {
    id: "B-04",
    sentence: "nobody listening is no error, to all or to a node, and nothing is kept for who comes later",
    async run(context) {
      const name = context.name("nobody");
      const sender = (await context.node()).messaging.broadcast(name);
      const { messaging } = await context.node();
      await tell(context, sender, "unheard");
      await tell(context, sender, "unheard", { node: messaging.nodeId });
      const { heard } = await listen(context, messaging.broadcast(name));
      await tell(context, sender, "marker");
      await heard.count(1);
      assert.deepEqual(words(heard), ["marker"]);
    },
  },
  {
    id: "B-05",
    sentence: "subscribe resolves only once live: what is broadcast right after it is heard",
    async run(context) {
      const sender = (await context.node()).messaging;
      const { messaging } = await context.node();
      for (const name of numbered(context.name("live"), 10)) {
        const { heard } = await listen(context, messaging.broadcast(name));
        await tell(context, sender.broadcast(name), name);
        assert.equal((await heard.at(0)).text, name);
      }
    },
  },
  {
    id: "B-06",
    sentence: "one node's broadcasts are heard in the order published, to all and to one node alike",
    async run(context) {
      const name = context.name("order");
      const { messaging } = await context.node();
      const { heard } = await listen(context, messaging.broadcast(name));
      const sender = (await context.node()).messaging.broadcast(name);
      const bodies = numbered("m", 200);
      const sending = bodies.map((body, index) =>
        sender.publish({ body: bytes(body) }, index % 2 === 0 ? {} : { node: messaging.nodeId }),
      );
      await context.soon(Promise.all(sending), "200 broadcasts");
      await heard.count(200);
      assert.deepEqual(words(heard), bodies);
    },
  },
  {
    id: "B-07",
    sentence: "a node that listens hears its own broadcasts",
    where: { "broadcast.loopback": true },
    async run(context) {
      const { messaging } = await context.node();
      const broadcast = messaging.broadcast(context.name("loopback"));
      const { heard } = await listen(context, broadcast);
      await tell(context, broadcast, "to all");
      await tell(context, broadcast, "to me", { node: messaging.nodeId });
      await heard.count(2);
      assert.deepEqual(words(heard), ["to all", "to me"]);
    },
  },
  {
    id: "B-08",
    sentence: "without loopback a node never hears its own broadcasts; others do",
    where: { "broadcast.loopback": false },
    async run(context) {
      const name = context.name("no-loopback");
      const { messaging } = await context.node();
      const other = (await context.node()).messaging.broadcast(name);
      const own = await listen(context, messaging.broadcast(name));
      const others = await listen(context, other);
      await tell(context, messaging.broadcast(name), "from me");
      await others.heard.count(1);
      await tell(context, other, "marker");
      await own.heard.count(1);
      assert.deepEqual(words(own.heard), ["marker"]);
    },
  },
  {
    id: "B-09",
    sentence: "body, headers, messageId and correlationId arrive as they were given",
    async run(context) {
      const name = context.name("content");
      const { heard } = await listen(context, (await context.node()).messaging.broadcast(name));
      const sender = (await context.node()).messaging.broadcast(name);
      const body = Uint8Array.from({ length: 256 }, (_, index) => index);
      const headers = { Ünïcode: "żółć 🚚", empty: "" };
      await context.soon(sender.publish({ body, headers, messageId: "id-1", correlationId: "corr-1" }), "broadcast");
      await context.soon(sender.publish({ body: new Uint8Array(0) }), "broadcast of nothing");
      const [first, second] = await heard.count(2);
      assert.equal(Buffer.compare(first?.message.body ?? bytes(""), body), 0, "the body changed on its way");
      assert.deepEqual({ ...first?.message.headers }, headers);
      assert.equal(first?.message.messageId, "id-1");
      assert.equal(first?.message.correlationId, "corr-1");
      assert.equal(second?.message.body.byteLength, 0);
      assert.equal(second?.message.correlationId, undefined);
    },
  },
  {
    id: "B-10",
    sentence: "broadcasts, and a queue of the same name, never mix, whatever characters tell their names apart",
    async run(context) {
      const stem = context.name("names");
      const { messaging } = await context.node();
      const sender = (await context.node()).messaging;
      const names = ["a.b", "a-b", "a/b", "a b", "a.*", "a.#", "A.B"].map((end) => `${stem} ${end}`);
      const listenings = [];
      for (const name of names) listenings.push({ name, ...(await listen(context, messaging.broadcast(name))) });
      const { seen } = await take(context, messaging.queue(`${stem} a.b`));
      for (const name of names) await tell(context, sender.broadcast(name), name);
      await post(context, sender.queue(`${stem} a.b`), "queued");
      for (const name of names) await tell(context, sender.broadcast(name), "marker");
      for (const { name, heard } of listenings) {
        await heard.count(2);
        assert.deepEqual(words(heard), [name, "marker"]);
      }
      await seen.count(1);
      assert.deepEqual(texts(seen), ["queued"]);
    },
  },
  {
    id: "B-11",
    sentence: "two subscriptions of one node both hear what is for all and what is for their node",
    async run(context) {
      const name = context.name("two");
      const { messaging } = await context.node();
      const listenings = [
        await listen(context, messaging.broadcast(name)),
        await listen(context, messaging.broadcast(name)),
      ];
      const sender = (await context.node()).messaging.broadcast(name);
      await tell(context, sender, "all");
      await tell(context, sender, "node", { node: messaging.nodeId });
      for (const { heard } of listenings) {
        await heard.count(2);
        assert.deepEqual(words(heard), ["all", "node"]);
      }
    },
  },
  {
    id: "B-12",
    sentence: "what must not be published is refused: INVALID_ARGUMENT, TOO_LARGE, ABORTED; and nobody hears it",
    async run(context) {
      const name = context.name("refused");
      const { heard } = await listen(context, (await context.node()).messaging.broadcast(name));
      const sender = (await context.node()).messaging.broadcast(name);
      const body = bytes("refused");
      const reserved = () => sender.publish({ body, headers: { "fairlead-x": "1" } });
      await context.refused(reserved, "INVALID_ARGUMENT", "broadcast with a reserved header");
      await context.refused(
        () => sender.publish({ body }, { node: "" }),
        "INVALID_ARGUMENT",
        "broadcast to a node without name",
      );
      const tooLarge = () => sender.publish({ body: new Uint8Array(context.capabilities.maxMessageBytes + 1) });
      await context.refused(tooLarge, "TOO_LARGE", "broadcast over the limit");
      const aborted = () => sender.publish({ body }, { signal: AbortSignal.abort() });
      await context.refused(aborted, "ABORTED", "broadcast with an aborted signal");
      await tell(context, sender, "marker");
      await heard.count(1);
      assert.deepEqual(words(heard), ["marker"]);
    },
  },
];
