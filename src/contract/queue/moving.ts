import assert from "node:assert";
import { DEAD_QUEUE_HEADER } from "../../driver/index.js";
import { type Inspection, MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import type { ContractContext } from "../context.js";
import { CLOCK_GRAIN_MS } from "../probe.js";
import { bytes } from "../text.js";
import { bodiesOf, drain, fill, fillDead, holds, INSPECTED, INSPECTED_DEAD, inspectionOf } from "./inspecting.js";
import { take, texts } from "./steps.js";

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `m${index}`);

/** Replays until it goes through: what an operator does after an interruption. At most so many may be moved by it. */
async function replayAll(context: ContractContext, inspection: Inspection, queue: string, most: number): Promise<void> {
  const endsAt = performance.now() + context.recoveryMs;
  for (let moved = 0; ; ) {
    try {
      const more = await context.soon(
        inspection.replay(queue, { limit: most + 1 }),
        "replay again",
        context.recoveryMs,
      );
      moved += more;
      if (more === 0) return;
      assert.ok(moved <= most, `${moved} were moved, but there were ${most}`);
    } catch (error) {
      if (!MessagingError.is(error, "UNAVAILABLE") || performance.now() > endsAt) throw error;
      await context.window(20, "the link may not be up yet");
    }
  }
}

/** What operators take out of a queue, and bring back into another. */
export const movingCases: readonly ContractCase[] = [
  {
    id: "Q-122",
    sentence: "remove takes out what is selected, and nothing else, and says how many that were",
    where: INSPECTED,
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("remove");
      const inspection = inspectionOf(messaging);
      await fill(context, messaging, name, ["a1", "b1", "a2", "b2", "b3"]);
      const remove = (selection: Parameters<Inspection["remove"]>[1]) =>
        context.soon(inspection.remove(name, selection), `remove ${JSON.stringify(selection)}`);
      assert.equal(await remove({ headers: { group: "b" }, limit: 2 }), 2);
      assert.equal(await remove({ messageIds: ["b1", "a2"] }), 1);
      assert.equal(await remove({ messageIds: ["a2"] }), 0);
      const left = await context.soon(inspection.browse(name), "browse");
      assert.deepEqual(bodiesOf(left).sort(), ["a1", "b3"]);
      assert.equal(await remove({}), 2);
      await holds(context, inspection, name, 0);
    },
  },
  {
    id: "Q-123",
    sentence:
      "replay publishes a dead letter to the queue that it came from, under its messageId, with the application's headers only and no failed attempt, and removes it",
    where: INSPECTED_DEAD,
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("replay");
      const inspection = inspectionOf(messaging);
      const correlated = { body: bytes("c1"), messageId: "c1", correlationId: "corr-1", headers: { kept: "ż" } };
      const first = await take(context, messaging.queue(name), (_, index) => (index === 0 ? "requeue" : "dead-letter"));
      await context.soon(messaging.queue(name).publish(correlated), "publish");
      await context.soon((await first.seen.at(1)).delivery.settled, "the settlement");
      await context.soon(first.consumer.close(), "close");
      const moved = context.collector<number>("moved", String);
      const count = await context.soon(inspection.replay(`${name}.dead`, { onMoved: moved.add }), "replay");
      assert.equal(count, 1);
      assert.deepEqual(moved.items, [1]);
      const { seen } = await take(context, messaging.queue(name));
      const { delivery } = await seen.at(0);
      assert.equal(delivery.messageId, "c1");
      assert.equal(delivery.correlationId, "corr-1");
      assert.equal(delivery.attempt, 1);
      assert.deepEqual({ ...delivery.headers }, { kept: "ż" });
      assert.deepEqual(await context.soon(inspection.browse(`${name}.dead`), "browse"), []);
    },
  },
  {
    id: "Q-124",
    sentence: "replay moves only what is selected, at most the limit, to another queue if it is told, and at the rate",
    where: INSPECTED,
    async run(context) {
      const { messaging } = await context.node();
      const [name, other] = [context.name("from"), context.name("to")];
      const inspection = inspectionOf(messaging);
      await fill(context, messaging, name, ["a1", "b1", "a2", "b2", "b3"]);
      const started = performance.now();
      const options = { to: other, headers: { group: "b" }, limit: 2, ratePerSecond: 5 };
      assert.equal(await context.soon(inspection.replay(name, options), "replay"), 2);
      const took = performance.now() - started;
      assert.ok(took >= 200 - CLOCK_GRAIN_MS, `2 messages at 5 a second took ${took} ms`);
      assert.deepEqual(await drain(context, messaging, other, 2), ["b1", "b2"]);
      const left = await context.soon(inspection.browse(name), "browse");
      assert.deepEqual(bodiesOf(left).sort(), ["a1", "a2", "b3"]);
    },
  },
  {
    id: "Q-125",
    sentence: "a replay that is aborted by its signal can be repeated, and loses nothing",
    where: INSPECTED_DEAD,
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("aborted");
      const inspection = inspectionOf(messaging);
      const sent = names(12);
      await fillDead(context, messaging, name, sent);
      const abort = new AbortController();
      const onMoved = (moved: number) => (moved === 5 ? abort.abort() : undefined);
      // With a rate they go one by one, wherever the queue is.
      const options = { signal: abort.signal, ratePerSecond: 1_000, onMoved };
      const attempt = () => inspection.replay(`${name}.dead`, options);
      const { message } = await context.refused(attempt, "ABORTED", "replay");
      assert.match(message, /5 had been moved/);
      assert.equal(await context.soon(inspection.replay(`${name}.dead`), "replay again"), 7);
      assert.deepEqual((await drain(context, messaging, name, sent.length)).sort(), [...sent].sort());
      await holds(context, inspection, `${name}.dead`, 0);
    },
  },
  {
    id: "Q-126",
    sentence: "a replay that loses its link rejects, can be repeated, loses nothing and repeats at most one message",
    where: INSPECTED_DEAD,
    needs: ["dropConnections"],
    limitMs: 60_000,
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("cut");
      const inspection = inspectionOf(messaging);
      const sent = names(30);
      await fillDead(context, messaging, name, sent);
      let dropping: Promise<void> | undefined;
      const onMoved = (moved: number): void => {
        if (moved === 10) dropping = context.dropConnections();
      };
      const error = await context.soon(
        inspection.replay(`${name}.dead`, { onMoved }).then(
          () => undefined,
          (thrown: unknown) => thrown,
        ),
        "the replay that is cut off",
        context.recoveryMs,
      );
      assert.ok(error === undefined || MessagingError.is(error, "UNAVAILABLE"), `rejected with ${String(error)}`);
      await context.soon(dropping ?? Promise.reject(new Error("nothing was moved")), "dropConnections");
      await replayAll(context, inspection, `${name}.dead`, sent.length);
      const { seen } = await take(context, messaging.queue(name));
      await context.until(
        () => new Set(texts(seen)).size === sent.length,
        () => `all of the ${sent.length}; ${seen}`,
        context.recoveryMs,
      );
      // What is in both queues comes once from each: nothing else is left to come.
      await holds(context, inspection, name, 0);
      assert.ok(seen.items.length <= sent.length + 1, `more than one came twice: ${seen}`);
    },
  },
  {
    id: "Q-127",
    sentence: "what does not say which queue it came from is left by replay, which moves the rest and says so",
    where: INSPECTED_DEAD,
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("foreign");
      const inspection = inspectionOf(messaging);
      const stranger = { body: bytes("x1"), messageId: "x1", headers: { group: "x" } };
      await context.soon(messaging.queue(`${name}.dead`).publish(stranger), "publish of a stranger");
      const itself = { body: bytes("x2"), messageId: "x2", headers: { [DEAD_QUEUE_HEADER]: `${name}.dead` } };
      await context.soon(messaging.queue(`${name}.dead`).publish(itself), "publish of one from this very queue");
      await fillDead(context, messaging, name, ["a1", "a2"]);
      const attempt = () => inspection.replay(`${name}.dead`);
      const { message } = await context.refused(attempt, "INVALID_ARGUMENT", "replay");
      assert.match(message, /2 are left.*x1.*2 had been moved/s);
      assert.deepEqual((await drain(context, messaging, name, 2)).sort(), ["a1", "a2"]);
      const left = await context.soon(inspection.browse(`${name}.dead`), "browse");
      assert.deepEqual(bodiesOf(left).sort(), ["x1", "x2"]);
      assert.equal(await context.soon(inspection.replay(`${name}.dead`, { to: name }), "replay with to"), 2);
      assert.deepEqual((await drain(context, messaging, name, 2)).sort(), ["x1", "x2"]);
    },
  },
  {
    id: "Q-128",
    sentence: "close ends a replay with CLOSED, nothing is lost, and what is asked afterwards is refused with CLOSED",
    where: INSPECTED_DEAD,
    async run(context) {
      const [first, second] = [await context.node(), await context.node()];
      const name = context.name("closed");
      const sent = names(6);
      await fillDead(context, first.messaging, name, sent);
      const inspection = inspectionOf(first.messaging);
      const moved = context.collector<number>("moved", String);
      const replay = inspection.replay(`${name}.dead`, { ratePerSecond: 2, onMoved: moved.add });
      const refused = context.refused(() => replay, "CLOSED", "the replay that is closed");
      await moved.count(2);
      await context.soon(first.messaging.close(), "close");
      await refused;
      await context.refused(() => inspection.browse(name), "CLOSED", "browse after close");
      await context.refused(() => inspection.counts(name), "CLOSED", "counts after close");
      await replayAll(context, inspectionOf(second.messaging), `${name}.dead`, sent.length);
      assert.deepEqual((await drain(context, second.messaging, name, sent.length)).sort(), sent);
    },
  },
  {
    id: "Q-145",
    sentence:
      "replay asks just before each move whether it may go there; the first that may not ends it with PERMISSION_DENIED, and stays with all behind it",
    where: INSPECTED_DEAD,
    async run(context) {
      const { messaging } = await context.node();
      const [open, shut] = [context.name("open"), context.name("shut")];
      const dead = `${context.name("mixed")}.dead`;
      const inspection = inspectionOf(messaging);
      for (const [one, from] of [
        ["m1", open],
        ["m2", open],
        ["m3", shut],
        ["m4", open],
        ["m5", open],
      ] as const) {
        const message = { body: bytes(one), messageId: one, headers: { [DEAD_QUEUE_HEADER]: from } };
        await context.soon(messaging.queue(dead).publish(message), `publish of ${one}`);
      }
      const asked = context.collector<string>("asked for", (queue) => (queue === open ? "open" : "shut"));
      const mayMoveTo = (queue: string): boolean => {
        asked.add(queue);
        return queue === open;
      };
      const mixed = () => inspection.replay(dead, { mayMoveTo });
      const { message } = await context.refused(mixed, "PERMISSION_DENIED", "replay to where it must not go");
      assert.ok(message.includes(shut), `the refusal does not name the queue: ${message}`);
      assert.match(message, /m3.*2 had been moved/s);
      assert.deepEqual(asked.items, [open, open, shut]);
      assert.deepEqual((await drain(context, messaging, open, 2)).sort(), ["m1", "m2"]);
      const stays = await context.soon(inspection.browse(dead), "browse");
      assert.deepEqual(bodiesOf(stays).sort(), ["m3", "m4", "m5"]);
      // The right may be taken away while a replay runs.
      const moved = context.collector<number>("moved", String);
      const whileAllowed = {
        to: open,
        ratePerSecond: 1_000,
        onMoved: moved.add,
        mayMoveTo: () => moved.items.length < 1,
      };
      await context.refused(
        () => inspection.replay(dead, whileAllowed),
        "PERMISSION_DENIED",
        "replay that may no more",
      );
      assert.deepEqual(moved.items, [1]);
      await holds(context, inspection, dead, 2);
      await holds(context, inspection, open, 1);
    },
  },
];
