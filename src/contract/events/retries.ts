import assert from "node:assert";
import { DEAD_ATTEMPTS_HEADER, DEAD_QUEUE_HEADER, DEAD_REASON_HEADER } from "../../driver/index.js";
import type { ContractCase } from "../case.js";
import { CLOCK_GRAIN_MS } from "../probe.js";
import { takeDead } from "../queue/steps.js";
import { numbered } from "../text.js";
import { ack, event, eventNode, join, postEvent, postEvents, queueHolds } from "./steps.js";

/** What the schedule does with an event that fails, and what comes after it. */
export const retryCases: readonly ContractCase[] = [
  {
    id: "E-60",
    sentence: "each step of the schedule counts from the failure before it, and no attempt comes earlier",
    async run(context) {
      const retryScheduleMs = [60, 120, 180];
      const node = await eventNode(context, { queue: context.name("schedule"), retryScheduleMs });
      const { seen } = await join(context, node, "reader");
      // Long past: the date of an event has no say in its retries.
      await postEvent(context, node, event("one", { effectiveDate: { seconds: 1_000, nanos: 0 } }));
      for (const [index, step] of retryScheduleMs.entries()) {
        const item = await seen.at(index);
        const failedAt = performance.now();
        await ack(context, node, item, false);
        const waited = (await seen.at(index + 1)).at - failedAt;
        assert.ok(
          waited >= step - CLOCK_GRAIN_MS,
          `attempt ${index + 2} after ${Math.round(waited)} ms instead of ${step}`,
        );
      }
      await ack(context, node, await seen.at(3));
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-61",
    sentence: "a step of a second or more is kept too, and the event counts its attempts on through it",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("long-step"), retryScheduleMs: [1_000, 20] });
      const { seen } = await join(context, node, "reader");
      await postEvent(context, node, event("one", { userToken: "mine" }));
      const first = await seen.at(0);
      const failedAt = performance.now();
      await ack(context, node, first, false);
      const second = await seen.at(1, 1_000);
      const waited = second.at - failedAt;
      assert.ok(waited >= 1_000 - CLOCK_GRAIN_MS, `came again after ${Math.round(waited)} ms instead of 1,000`);
      assert.equal(second.event.userToken, "mine");
      await ack(context, node, second, false);
      await ack(context, node, await seen.at(2));
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-62",
    sentence: "an event that waits a second or more for its next attempt holds up no other, and takes no credit",
    where: { "queue.delayedDelivery": true },
    async run(context) {
      const node = await eventNode(context, { queue: context.name("passed"), retryScheduleMs: [10_000] });
      const { seen } = await join(context, node, "reader", {
        reply: (item) => (item.text.startsWith("bad") ? "nack" : "ack"),
      });
      await postEvents(context, node, numbered("bad", 6));
      await seen.count(6);
      await postEvents(context, node, numbered("good", 10));
      await seen.count(16);
      assert.deepEqual(
        seen.items.slice(6).map(({ text }) => text.slice(0, 4)),
        Array.from({ length: 10 }, () => "good"),
      );
    },
  },
  {
    id: "E-63",
    sentence: "an event that has used up its schedule goes to the dead letters, with the reason of each attempt",
    where: { "queue.deadLetter": true },
    async run(context) {
      const options = { queue: context.name("dead"), ackTimeoutMs: 250, retryScheduleMs: [20, 20] };
      const node = await eventNode(context, options);
      const { seen } = await join(context, node, "reader", { reply: (_, index) => (index === 1 ? undefined : "nack") });
      await postEvent(context, node, event("one", { clientId: "poster", userToken: "mine", searchKey1: 7n }));
      await seen.count(3);
      const dead = await (await takeDead(context, node.messaging, node.queue)).at(0);
      assert.equal(dead.text, "one");
      const { headers } = dead.delivery;
      const reason = headers[DEAD_REASON_HEADER] ?? "";
      for (const part of ["attempt 1", "attempt 2", "attempt 3", "nack", "no ack"]) {
        assert.ok(reason.includes(part), `the reason does not say ${part}: ${reason}`);
      }
      assert.equal(headers[DEAD_QUEUE_HEADER], node.queue);
      assert.equal(headers[DEAD_ATTEMPTS_HEADER], "3");
      for (const kept of ["poster", "mine", "7"]) {
        assert.ok(
          Object.values(headers).includes(kept),
          `the dead letter has lost ${kept}: ${JSON.stringify(headers)}`,
        );
      }
      await queueHolds(context, [node]);
      assert.equal(seen.items.length, 3);
    },
  },
  {
    id: "E-64",
    sentence:
      "an event that has used up its schedule is tried on, with its last step, where nothing keeps dead letters",
    where: { "queue.deadLetter": false },
    async run(context) {
      const node = await eventNode(context, { queue: context.name("for-ever"), retryScheduleMs: [20, 60] });
      const { seen } = await join(context, node, "reader", { reply: (_, index) => (index < 4 ? "nack" : "ack") });
      await postEvents(context, node, ["one"]);
      await seen.count(5);
      for (const index of [2, 3, 4]) {
        const waited = (seen.items[index]?.at ?? 0) - (seen.items[index - 1]?.at ?? 0);
        assert.ok(waited >= 60 - CLOCK_GRAIN_MS, `attempt ${index + 1} after ${Math.round(waited)} ms instead of 60`);
      }
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-65",
    sentence: "a dead letter that is published again is delivered as a new event",
    where: { "queue.deadLetter": true },
    async run(context) {
      const node = await eventNode(context, { queue: context.name("replayed"), retryScheduleMs: [] });
      const { seen } = await join(context, node, "reader", { reply: (_, index) => (index === 0 ? "nack" : undefined) });
      await postEvent(context, node, event("one", { userToken: "mine", searchKey2: -9n }));
      await seen.count(1);
      const { delivery } = await (await takeDead(context, node.messaging, node.queue)).at(0);
      const { body, headers } = delivery;
      await context.soon(node.messaging.queue(node.queue).publish({ body, headers }), "publish of the dead letter");
      const again = await seen.at(1);
      assert.deepEqual([again.text, again.event.userToken, again.event.searchKey2], ["one", "mine", -9n]);
      await ack(context, node, again);
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-66",
    sentence: "an event of the greatest size is the same at each attempt: retries add nothing to it",
    async run(context) {
      const options = { queue: context.name("same-size"), maxEventBytes: 2_000, retryScheduleMs: [20, 20, 20] };
      const node = await eventNode(context, options);
      const body = `{"quotes":"${'"'.repeat(1_988)}"}`.slice(0, 2_000);
      const { seen } = await join(context, node, "reader", { reply: (_, index) => (index < 3 ? "nack" : "ack") });
      await postEvents(context, node, [body]);
      await seen.count(4);
      for (const { text } of seen.items) assert.equal(text, body);
    },
  },
  {
    id: "E-67",
    sentence: "an attempt that a subscriber's sink refuses has failed: the event takes the next step",
    needs: ["eventService"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("refused"), retryScheduleMs: [50] });
      const seen = context.collector<number>("attempts", String);
      node.whole().subscribe("reader", {
        async deliver({ attempt, ackToken }) {
          seen.add(attempt);
          if (attempt === 1) throw new Error("this event cannot be taken");
          void node.service.ack(ackToken, true);
          return true;
        },
      });
      await postEvents(context, node, ["one"]);
      await seen.count(2);
      assert.deepEqual(seen.items, [1, 2]);
      await node.observed.find(
        (item) => item.type === "event-attempt-failed" && item.reason.includes("cannot be taken"),
        "why",
      );
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-68",
    sentence: "each failed attempt is observed, with its number, its client and its reason",
    needs: ["eventService"],
    async run(context) {
      const options = { queue: context.name("failures"), ackTimeoutMs: 150, retryScheduleMs: [20, 600_000] };
      const node = await eventNode(context, options);
      await join(context, node, "reader", { reply: (_, index) => (index === 0 ? "nack" : undefined) });
      await postEvents(context, node, ["one"]);
      for (const [attempt, reason] of [
        [1, "nack"],
        [2, "no ack"],
      ] as const) {
        await node.observed.find(
          (item) =>
            item.type === "event-attempt-failed" &&
            item.attempt === attempt &&
            item.clientId === "reader" &&
            item.reason.includes(reason),
          `the failure of attempt ${attempt}`,
        );
      }
    },
  },
];
