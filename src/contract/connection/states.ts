import assert from "node:assert";
import { type Listening, listen } from "../broadcast/steps.js";
import type { ContractCase } from "../case.js";
import { post, type Taking, take } from "../queue/steps.js";
import { Stopwatch } from "../stopwatch.js";
import { bytes } from "../text.js";
import { states } from "./steps.js";

/** What a connection is, and how it becomes open. */
export const stateCases: readonly ContractCase[] = [
  {
    id: "C-01",
    sentence: "capabilities are constant: those the adapter declares, before, during and after the connection",
    async run(context) {
      const { messaging } = await context.node();
      const declared = structuredClone(context.capabilities);
      assert.deepEqual(structuredClone(messaging.capabilities), declared);
      await context.soon(messaging.open(), "open");
      assert.deepEqual(structuredClone(messaging.capabilities), declared);
      await context.soon(messaging.close(), "close");
      assert.deepEqual(structuredClone(messaging.capabilities), declared);
    },
  },
  {
    id: "C-02",
    sentence: "asking for a port costs nothing: the connection stays idle, and nothing is observed",
    async run(context) {
      const { messaging, observed } = await context.node();
      const name = context.name("ports");
      assert.equal(messaging.queue(name).name, name);
      assert.equal(messaging.broadcast(name).name, name);
      assert.equal(messaging.state, "idle");
      assert.equal(messaging.blocked, false);
      assert.deepEqual(observed.items, []);
    },
  },
  {
    id: "C-03",
    sentence: "open connects: connecting, then open, both observed",
    async run(context) {
      const { messaging, observed } = await context.node();
      const opening = messaging.open();
      assert.equal(messaging.state, "connecting");
      await context.soon(opening, "open");
      assert.equal(messaging.state, "open");
      assert.equal(messaging.blocked, false);
      assert.deepEqual(states(observed), ["connecting", "open"]);
    },
  },
  {
    id: "C-04",
    sentence: "opens at once, opens after another, and first uses share one connection",
    async run(context) {
      const { messaging, observed } = await context.node();
      const using = take(context, messaging.queue(context.name("shared")));
      await context.soon(Promise.all([messaging.open(), messaging.open(), using]), "two opens and a use");
      await context.soon(messaging.open(), "a third open");
      assert.deepEqual(states(observed), ["connecting", "open"]);
    },
  },
  {
    id: "C-05",
    sentence: "open with an aborted signal is refused with ABORTED; the connection can still be opened",
    async run(context) {
      const { messaging } = await context.node();
      const signal = AbortSignal.abort();
      await context.refused(() => messaging.open({ signal }), "ABORTED", "open with an aborted signal");
      await context.soon(messaging.open(), "open");
      assert.equal(messaging.state, "open");
    },
  },
  {
    id: "C-06",
    sentence: "aborting the signal of one open refuses that one only: another that waits is not harmed",
    async run(context) {
      const { messaging } = await context.node();
      const abort = new AbortController();
      const first = messaging.open({ signal: abort.signal });
      const second = messaging.open();
      abort.abort();
      await context.refused(() => first, "ABORTED", "open, its signal aborted");
      await context.soon(second, "the other open");
      assert.equal(messaging.state, "open");
    },
  },
  {
    id: "C-07",
    sentence: "nodeId is what was given, or a UUID of its own for each node",
    async run(context) {
      const given = await context.node({ nodeId: "node-of-my-own" });
      assert.equal(given.messaging.nodeId, "node-of-my-own");
      const ids = [(await context.node()).messaging.nodeId, (await context.node()).messaging.nodeId];
      for (const id of ids) assert.match(id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      assert.notEqual(ids[0], ids[1]);
    },
  },
  {
    id: "C-08",
    sentence: "a broker that refuses connections makes open reject with UNAVAILABLE, once the connect timeout is over",
    needs: ["createUnreachable"],
    async run(context) {
      const messaging = await context.unreachable(400);
      const watch = new Stopwatch();
      await context.refused(() => messaging.open(), "UNAVAILABLE", "open without a broker");
      const { ms: took, undisturbedMs } = watch;
      assert.ok(took >= 395 && undisturbedMs < 2_400, `open with connectTimeoutMs 400 settled after ${took} ms`);
      assert.equal(messaging.state, "idle");
    },
  },
  {
    id: "C-09",
    sentence: "close ends an open that still tries: the open is refused with CLOSED",
    needs: ["createUnreachable"],
    async run(context) {
      const messaging = await context.unreachable(20_000);
      const opening = messaging.open();
      const refused = context.refused(() => opening, "CLOSED", "open, closed meanwhile");
      await context.soon(messaging.close(), "close while connecting");
      await refused;
      assert.equal(messaging.state, "closed");
    },
  },
  {
    id: "C-20",
    sentence: "while the broker takes no publishes, blocked is true and observed, publishes wait, consumers go on",
    needs: ["blockPublishes", "unblockPublishes"],
    async run(context) {
      const { messaging, observed } = await context.node();
      const name = context.name("blocked");
      const queue = messaging.queue(name);
      const { seen } = await take(context, queue, (_, index) => (index === 0 ? "release" : "ack"));
      await post(context, queue, "one");
      await seen.count(2);
      context.atEnd(context.fault("unblockPublishes"));
      await context.soon(context.fault("blockPublishes")(), "blockPublishes", context.faultMs);
      // A broker may tell of the alarm only who publishes.
      const publishing = queue.publish({ body: bytes("two") });
      await observed.find((item) => item.type === "blocked" && item.blocked, "blocked", context.recoveryMs);
      assert.equal(messaging.blocked, true);
      const attempt = () => queue.publish({ body: bytes("three") }, { timeoutMs: 300 });
      await context.refused(attempt, "UNAVAILABLE", "publish that waits for longer than timeoutMs");
      await context.soon(context.fault("unblockPublishes")(), "unblockPublishes", context.faultMs);
      await context.soon(publishing, "the publish that waited", context.recoveryMs);
      await seen.find((item) => item.text === "two", "message two");
      await observed.find((item) => item.type === "blocked" && !item.blocked, "no longer blocked");
      assert.equal(messaging.blocked, false);
    },
  },
  {
    id: "C-21",
    sentence: "a link that is lost again and again, also while all is being made anew, is healed once it holds",
    needs: ["dropConnections"],
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("again");
      const { seen } = await take(context, messaging.queue(name));
      const { heard } = await listen(context, messaging.broadcast(name));
      for (const gapMs of [0, 1, 2, 5, 10, 20, 40]) {
        await context.dropConnections();
        await context.window(gapMs, "so that the next loss finds another step of the recovery");
      }
      await context.soon(messaging.queue(name).publish({ body: bytes("one") }), "publish", context.recoveryMs);
      await seen.count(1, context.recoveryMs);
      await context.until(
        () => messaging.state === "open",
        () => `the connection to be open, it is ${messaging.state}`,
        context.recoveryMs,
      );
      // At most once: what is sent before the subscription is back is missed.
      const sender = (await context.node()).messaging.broadcast(name);
      await context.until(
        () => {
          sender.publish({ body: bytes("one") }).catch(() => undefined);
          return heard.items.length > 0;
        },
        () => "a broadcast to be heard again",
        context.recoveryMs,
      );
    },
  },
  {
    id: "C-22",
    sentence: "a link that is lost while a consumer or a subscription is set up delays it at most: it comes to be",
    needs: ["dropConnections"],
    async run(context) {
      for (const gapMs of [0, 1, 2, 5, 10]) {
        const { messaging } = await context.node();
        const name = context.name("set-up");
        const taking = take(context, messaging.queue(name));
        const listening = listen(context, messaging.broadcast(name));
        // Whoever fails first, the other one is not left alone.
        const both = Promise.all([taking, listening]);
        await context.window(gapMs, "so that the loss finds another step of the set-up");
        await context.dropConnections();
        const [{ seen }, { heard, subscription }] = await both;
        await context.soon(messaging.queue(name).publish({ body: bytes("one") }), "publish", context.recoveryMs);
        await seen.count(1, context.recoveryMs);
        await context.until(
          () => subscription.state === "live",
          () => `the subscription to be live, it is ${subscription.state}`,
          context.recoveryMs,
        );
        const sender = (await context.node()).messaging.broadcast(name);
        await context.until(
          () => {
            sender.publish({ body: bytes("one") }).catch(() => undefined);
            return heard.items.length > 0;
          },
          () => "a broadcast to be heard",
          context.recoveryMs,
        );
      }
    },
  },
  {
    id: "C-10",
    sentence: "a lost link is told and healed: reconnecting, open, with every consumer and subscription back",
    needs: ["dropConnections"],
    async run(context) {
      const { messaging, observed } = await context.node();
      const names = [context.name("one"), context.name("two")];
      const takings: Taking[] = [];
      const listenings: Listening[] = [];
      for (const name of names) {
        takings.push(await take(context, messaging.queue(name)));
        listenings.push(await listen(context, messaging.broadcast(name)));
      }
      await context.dropConnections();
      await observed.until(
        () => states(observed).at(-1) === "open" && states(observed).length > 2,
        "open again",
        context.recoveryMs,
      );
      assert.deepEqual(states(observed), ["connecting", "open", "reconnecting", "open"]);
      await context.until(
        () =>
          takings.every(({ consumer }) => consumer.state === "running") &&
          listenings.every(({ subscription }) => subscription.state === "live"),
        () => "all consumers running and all subscriptions live",
        context.recoveryMs,
      );
      const sender = (await context.node()).messaging;
      for (const name of names) {
        const body = new Uint8Array(1);
        await context.soon(sender.queue(name).publish({ body }), "publish");
        await context.soon(sender.broadcast(name).publish({ body }), "broadcast");
      }
      for (const { seen } of takings) await seen.count(1);
      for (const { heard } of listenings) await heard.count(1);
      assert.equal(messaging.state, "open");
    },
  },
];
