import assert from "node:assert";
import type { ContractCase } from "../case.js";
import { bytes } from "../text.js";
import { bodiesOf, drain, fill, inspectionOf } from "./inspecting.js";
import { take } from "./steps.js";

const HOUR_MS = 3_600_000;

/** What only a broker that can be asked for its messages shows. */
export const storedCases: readonly ContractCase[] = [
  {
    id: "Q-129",
    sentence: "browse shows what is not due yet with its time, and selects by it",
    where: { inspection: "all", "queue.delayedDelivery": true },
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("future");
      const inspection = inspectionOf(messaging);
      const now = Date.now();
      await fill(context, messaging, name, ["now"]);
      for (const hours of [3, 1, 2]) {
        const message = { body: bytes(`in ${hours}`), messageId: `in ${hours}` };
        await context.soon(messaging.queue(name).publish(message, { delayMs: hours * HOUR_MS }), "publish");
      }
      const all = await context.soon(inspection.browse(name), "browse");
      assert.deepEqual(bodiesOf(all), ["now", "in 1", "in 2", "in 3"]);
      for (const [index, hours] of [1, 2, 3].entries()) {
        const away = (all[index + 1]?.dueAt ?? 0) - now - hours * HOUR_MS;
        assert.ok(Math.abs(away) < 60_000, `dueAt of "in ${hours}" is ${away} ms off`);
      }
      const between = { dueFrom: now + 1.5 * HOUR_MS, dueBefore: now + 2.5 * HOUR_MS };
      assert.deepEqual(bodiesOf(await context.soon(inspection.browse(name, between), "browse")), ["in 2"]);
      const { ready, delayed } = await context.soon(inspection.counts(name), "counts");
      assert.deepEqual([ready, delayed], [1, 3]);
      assert.equal(await context.soon(inspection.remove(name, { messageIds: ["in 2"] }), "remove"), 1);
      assert.deepEqual(bodiesOf(await context.soon(inspection.browse(name), "browse")), ["now", "in 1", "in 3"]);
    },
  },
  {
    id: "Q-130",
    sentence:
      "update replaces the body of a message that is available, keeps everything else, and says if there is none",
    where: { inspection: "all" },
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("update");
      const inspection = inspectionOf(messaging);
      await fill(context, messaging, name, ["a1", "b1"]);
      assert.equal(await context.soon(inspection.update(name, "a1", bytes("changed")), "update"), true);
      assert.equal(await context.soon(inspection.update(name, "none", bytes("changed")), "update of none"), false);
      const { seen } = await take(context, messaging.queue(name));
      const { text, delivery } = await seen.at(0);
      assert.deepEqual([text, delivery.messageId, delivery.headers.name], ["changed", "a1", "a1"]);
      assert.equal((await seen.at(1)).text, "b1");
    },
  },
  {
    id: "Q-131",
    sentence:
      "what is handed out is shown as such, and can be removed: its settlement is then lost, and it never comes again",
    where: { inspection: "all" },
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("handed-out");
      const inspection = inspectionOf(messaging);
      await fill(context, messaging, name, ["a1"]);
      const gate = context.gate();
      const { consumer, seen } = await take(context, messaging.queue(name), async () => {
        await gate.wait();
        return { retryInMs: 0 };
      });
      const { delivery } = await seen.at(0);
      const states = ["in-processing"] as const;
      const [shown] = await context.soon(inspection.browse(name, { states }), "browse");
      assert.equal(shown?.state, "in-processing");
      assert.equal((await context.soon(inspection.counts(name), "counts")).inProcessing, 1);
      assert.equal(await context.soon(inspection.remove(name, { messageIds: ["a1"] }), "remove, available only"), 0);
      assert.equal(await context.soon(inspection.remove(name, { messageIds: ["a1"], states }), "remove"), 1);
      gate.open();
      assert.equal(await context.soon(delivery.settled, "the settlement"), false);
      await context.soon(consumer.close(), "close");
      await fill(context, messaging, name, ["marker"]);
      assert.deepEqual(await drain(context, messaging, name, 1), ["marker"]);
    },
  },
  {
    id: "Q-132",
    sentence: "history tells what was acknowledged, and what an operator removed and as what",
    where: { inspection: "all" },
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("history");
      const inspection = inspectionOf(messaging);
      await fill(context, messaging, name, ["a1", "b1", "b2"]);
      assert.equal(await context.soon(inspection.remove(name, { messageIds: ["b1"] }), "remove"), 1);
      const processed = inspection.remove(name, { messageIds: ["b2"] }, "processed");
      assert.equal(await context.soon(processed, "remove as processed"), 1);
      assert.deepEqual(await drain(context, messaging, name, 1), ["a1"]);
      const removed = await context.soon(inspection.browse(name, { states: ["removed"] }), "browse of removed");
      assert.deepEqual(bodiesOf(removed), ["b1"]);
      const done = await context.soon(inspection.browse(name, { states: ["processed"] }), "browse of processed");
      assert.deepEqual(bodiesOf(done).sort(), ["a1", "b2"]);
      assert.deepEqual(await context.soon(inspection.browse(name), "browse"), []);
    },
  },
  {
    id: "Q-138",
    sentence: "replay tells messages of one messageId apart: interrupted and repeated, it moves each of them once",
    where: { inspection: "all" },
    async run(context) {
      const { messaging } = await context.node();
      const [name, other] = [context.name("twins"), context.name("twins-to")];
      const inspection = inspectionOf(messaging);
      for (const body of ["first", "second", "third"]) {
        const message = { body: bytes(body), messageId: "one" };
        await context.soon(messaging.queue(name).publish(message), "publish");
      }
      const abort = new AbortController();
      const options = { to: other, ratePerSecond: 1_000, signal: abort.signal, onMoved: () => abort.abort() };
      const { message } = await context.refused(() => inspection.replay(name, options), "ABORTED", "replay");
      assert.match(message, /1 had been moved/);
      assert.deepEqual(bodiesOf(await context.soon(inspection.browse(name), "browse")), ["second", "third"]);
      assert.equal(await context.soon(inspection.replay(name, { to: other }), "replay again"), 2);
      assert.deepEqual((await drain(context, messaging, other, 3)).sort(), ["first", "second", "third"]);
      assert.deepEqual(await context.soon(inspection.browse(name), "browse"), []);
    },
  },
  {
    id: "Q-139",
    sentence:
      "replays at the same time, and beside a consumer, move each message once: their numbers and what the consumer got add up",
    where: { inspection: "all" },
    async run(context) {
      const [first, second] = [await context.node(), await context.node()];
      const [name, other] = [context.name("race"), context.name("race-to")];
      const sent = Array.from({ length: 150 }, (_, index) => `m${index}`);
      await fill(context, first.messaging, name, sent);
      // One by one, and page by page.
      const options = [{ ratePerSecond: 10_000 }, { ratePerSecond: 10_000 }, {}];
      const replays = options.map((more, index) =>
        inspectionOf((index === 0 ? first : second).messaging).replay(name, { to: other, limit: 1_000, ...more }),
      );
      const { consumer, seen } = await take(context, second.messaging.queue(name));
      const moved = await context.soon(Promise.all(replays), "the replays");
      const { messaging } = first;
      await context.until(
        () => seen.items.length + moved.reduce((sum, one) => sum + one, 0) >= sent.length,
        () => `${sent.length} in all: ${moved} moved, ${seen}`,
      );
      await context.soon(consumer.close(), "close");
      const there = await context.soon(inspectionOf(messaging).browse(other, { limit: 1_000 }), "browse");
      assert.equal(
        moved.reduce((sum, one) => sum + one, 0),
        there.length,
        `replays moved ${moved}`,
      );
      const all = [...bodiesOf(there), ...seen.items.map((item) => item.text)];
      assert.deepEqual(all.sort(), [...sent].sort());
    },
  },
  {
    id: "Q-140",
    sentence:
      "browse refuses more than 64 MiB of bodies with REJECTED; remove and replay do not hold the bodies of what they take",
    where: { inspection: "all" },
    async run(context) {
      const { messaging } = await context.node();
      const [name, other] = [context.name("bodies"), context.name("bodies-to")];
      const inspection = inspectionOf(messaging);
      const size = Math.min(1_048_576, context.capabilities.maxMessageBytes);
      const count = Math.floor((64 * 1_048_576) / size) + 1;
      for (let left = count; left > 0; left -= 1) {
        await context.soon(messaging.queue(name).publish({ body: new Uint8Array(size) }), "publish");
      }
      const limit = count + 1;
      const { message } = await context.refused(() => inspection.browse(name, { limit }), "REJECTED", "browse");
      assert.match(message, /64 MiB/);
      const found = await context.soon(inspection.browse(name, { limit: count - 1 }), "browse of 64 MiB");
      assert.equal(found.length, count - 1);
      assert.equal(await context.soon(inspection.replay(name, { to: other, limit }), "replay"), count);
      assert.equal(await context.soon(inspection.remove(other, { limit }), "remove"), count);
    },
  },
];
