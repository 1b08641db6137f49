import assert from "node:assert";
import type { ContractCase } from "../case.js";
import type { ContractContext } from "../context.js";
import { CLOCK_GRAIN_MS } from "../probe.js";
import { Stopwatch } from "../stopwatch.js";
import { ack, type EventNode, event, eventNode, join, postEvent, postEvents, queueHolds } from "./steps.js";

const STEP_MS = 150;

/** Waits for the ack to be told as ignored, for this reason. */
async function ignored({ observed }: EventNode, reason: "late" | "repeated" | "unknown"): Promise<void> {
  await observed.find(
    (item) => item.type === "event-ack-ignored" && item.reason === reason,
    `an ack ignored as ${reason}`,
  );
}

/** Tokens that no delivery carried. */
function strangeTokens(context: ContractContext, token: string): string[] {
  return [
    "",
    "x",
    context.name("token"),
    `${token}x`,
    token.slice(1),
    "\u0000",
    "x".repeat(100_000),
    token.toUpperCase(),
  ];
}

/** What becomes of an event by its ack, and of acks that come at the wrong time. */
export const ackCases: readonly ContractCase[] = [
  {
    id: "E-45",
    sentence: "an event that is acknowledged is done: it does not come again",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("acked") });
      const { seen } = await join(context, node, "reader");
      await postEvents(context, node, ["one"]);
      await ack(context, node, await seen.at(0));
      await queueHolds(context, [node]);
      assert.equal(seen.items.length, 1);
    },
  },
  {
    id: "E-46",
    sentence:
      "a link that is lost right after an ack brings the event once more at most, and what comes after it is delivered",
    needs: ["dropConnections"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("acked-and-cut") });
      const { seen } = await join(context, node, "reader");
      await postEvents(context, node, ["one"]);
      await ack(context, node, await seen.at(0));
      await context.dropConnections();
      await context.soon(node.service.post(event("two")), "post", context.recoveryMs);
      await seen.find((item) => item.text === "two", "the event posted after", context.recoveryMs);
      // Acks are not confirmed by every broker: the link may take the last ones with it.
      const times = seen.items.filter((item) => item.text === "one").length;
      assert.ok(times <= 2, `delivered ${times} times, although one link was lost; ${seen}`);
    },
  },
  {
    id: "E-47",
    sentence: "acks resolve with what they came to: acked, nacked, repeated, late, unknown",
    needs: ["eventService"],
    async run(context) {
      const ackTimeoutMs = context.unhurried(1_000);
      const node = await eventNode(context, { queue: context.name("outcomes"), ackTimeoutMs });
      const { seen } = await join(context, node, "reader");
      await postEvents(context, node, ["one", "two", "three"]);
      const [one, two, three] = await seen.count(3);
      assert.ok(one !== undefined && two !== undefined && three !== undefined);
      assert.equal(await ack(context, node, one), "acked");
      assert.equal(await ack(context, node, one), "repeated");
      assert.equal(await ack(context, node, two, false), "nacked");
      assert.equal(await ack(context, node, two), "repeated");
      assert.equal(await context.soon(node.service.ack("no token", true), "ack"), "unknown");
      const failed = (item: { readonly type: string }) =>
        item.type === "event-attempt-failed" && "reason" in item && item.reason !== "nack";
      await node.observed.find(failed, "the attempt of three to time out");
      assert.equal(await ack(context, node, three), "late");
      for (const reason of ["repeated", "unknown", "late"] as const) await ignored(node, reason);
      const { acked, nacked, timedOut, repeatedAcks, unknownAcks, lateAcks } = node.whole().counts;
      assert.deepEqual([acked, nacked, timedOut, repeatedAcks, unknownAcks, lateAcks], [1, 1, 1, 2, 1, 1]);
    },
  },
  {
    id: "E-48",
    sentence: "a nack brings the event again, after the first step of the schedule and not before",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("nacked"), retryScheduleMs: [STEP_MS] });
      const { seen } = await join(context, node, "reader");
      await postEvents(context, node, ["one"]);
      const first = await seen.at(0);
      const nackedAt = performance.now();
      await ack(context, node, first, false);
      const second = await seen.at(1);
      const waited = second.at - nackedAt;
      assert.ok(waited >= STEP_MS - CLOCK_GRAIN_MS, `came again after ${Math.round(waited)} ms instead of ${STEP_MS}`);
      assert.equal(second.text, "one");
      await ack(context, node, second);
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-49",
    sentence: "each attempt has its number, and a new ack token; the user token stays",
    needs: ["eventService"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("tokens"), retryScheduleMs: [20, 20] });
      const { seen } = await join(context, node, "reader", { reply: (_, index) => (index < 2 ? "nack" : undefined) });
      await postEvent(context, node, event("one", { userToken: "mine" }));
      await seen.count(3);
      const events = seen.items.map((item) => item.event);
      assert.deepEqual(
        events.map(({ attempt, userToken }) => [attempt, userToken]),
        [
          [1, "mine"],
          [2, "mine"],
          [3, "mine"],
        ],
      );
      assert.equal(new Set(events.map(({ ackToken }) => ackToken)).size, 3);
    },
  },
  {
    id: "E-50",
    sentence: "all that was posted comes with each attempt, and the ack token of none is the user token",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("same-again"), retryScheduleMs: [20, 20] });
      const { seen } = await join(context, node, "reader", { reply: (_, index) => (index < 2 ? "nack" : undefined) });
      const userToken = "00000000-0000-4000-8000-000000000000";
      const effectiveDate = { seconds: 1_700_000_000, nanos: 1 };
      await postEvent(
        context,
        node,
        event("one", { userToken, effectiveDate, clientId: "poster", searchKey1: 1n, searchKey2: -2n }),
      );
      await seen.count(3);
      const [first, ...others] = seen.items.map(({ event: { ackToken: _, attempt: __, ...rest } }) => rest);
      assert.equal(first?.userToken, userToken);
      for (const other of others)
        assert.deepEqual({ ...other, body: [...other.body] }, { ...first, body: [...(first?.body ?? [])] });
      const tokens = seen.items.map((item) => item.event.ackToken);
      assert.equal(new Set([...tokens, userToken]).size, 4);
    },
  },
  {
    id: "E-51",
    sentence:
      "an event without an ack within the ack timeout comes again, after the first step of the schedule and not before",
    async run(context) {
      const options = { queue: context.name("timed-out"), ackTimeoutMs: 200, retryScheduleMs: [STEP_MS] };
      const node = await eventNode(context, options);
      const { seen } = await join(context, node, "reader");
      // On a wire the client may have the first one after the server's timer has begun.
      const postedAt = performance.now();
      await postEvents(context, node, ["one"]);
      await seen.at(0);
      const watch = new Stopwatch();
      const second = await seen.at(1);
      const { undisturbedMs } = watch;
      const least = options.ackTimeoutMs + STEP_MS;
      const waited = second.at - postedAt;
      assert.ok(waited >= least - CLOCK_GRAIN_MS, `came again after ${Math.round(waited)} ms instead of ${least}`);
      assert.ok(undisturbedMs < least + 1_500, `came again after ${Math.round(waited)} ms instead of ${least}`);
      await ack(context, node, second);
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-52",
    sentence: "an ack that is late resolves like any other, and neither ends the event nor its next attempt",
    async run(context) {
      const options = { queue: context.name("late"), ackTimeoutMs: 300, retryScheduleMs: [20, 20] };
      const node = await eventNode(context, options);
      const { seen } = await join(context, node, "reader");
      await postEvents(context, node, ["one"]);
      const first = await seen.at(0);
      const second = await seen.at(1);
      await ack(context, node, first);
      await ack(context, node, second, false);
      const third = await seen.at(2);
      await ack(context, node, second);
      await ack(context, node, first, false);
      await ack(context, node, third);
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-53",
    sentence: "an ack that is repeated, or takes back what was said, changes nothing",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("repeated"), retryScheduleMs: [300] });
      const { seen } = await join(context, node, "reader");
      await postEvents(context, node, ["one", "two"]);
      const [one, two] = await seen.count(2);
      assert.ok(one !== undefined && two !== undefined);
      for (const success of [true, true, false]) await ack(context, node, one, success);
      for (const success of [false, false, true]) await ack(context, node, two, success);
      const again = await seen.at(2);
      assert.equal(again.text, "two");
      await ack(context, node, again);
      await queueHolds(context, [node]);
      assert.equal(seen.items.length, 3);
    },
  },
  {
    id: "E-54",
    sentence: "tokens that no attempt has, the user token among them, resolve and change nothing",
    async run(context) {
      const options = { queue: context.name("unknown"), retryScheduleMs: [20], ackForwardTimeoutMs: 200 };
      const node = await eventNode(context, options);
      const { seen } = await join(context, node, "reader");
      await postEvent(context, node, event("one", { userToken: "mine" }));
      const item = await seen.at(0);
      const strange = ["mine", ...strangeTokens(context, item.event.ackToken)];
      await context.soon(
        Promise.all(strange.map((token) => node.service.ack(token, true))),
        "acks with strange tokens",
      );
      await ack(context, node, item, false);
      // Had one of them ended it, the nack would have come too late.
      await ack(context, node, await seen.at(1));
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-55",
    sentence: "a link that is lost while a subscriber holds an event brings the event again, and uses no attempt",
    needs: ["dropConnections"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("cut"), retryScheduleMs: [] });
      const { seen } = await join(context, node, "reader", { reply: (_, index) => (index === 0 ? undefined : "ack") });
      await postEvents(context, node, ["one"]);
      const first = await seen.at(0);
      await context.dropConnections();
      const second = await seen.at(1, context.recoveryMs);
      assert.equal(second.text, "one");
      assert.notEqual(second.event.ackToken, first.event.ackToken);
      await ack(context, node, first);
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-56",
    sentence: "acks that come all at once, each several times, end each event once",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("many-acks") });
      const { seen } = await join(context, node, "reader");
      await postEvents(context, node, ["one", "two", "three"]);
      const items = await seen.count(3);
      await Promise.all([...items, ...items, ...items].map((item) => ack(context, node, item)));
      await queueHolds(context, [node]);
    },
  },
];
