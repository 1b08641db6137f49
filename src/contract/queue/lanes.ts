import assert from "node:assert";
import { LANES } from "../../driver/index.js";
import type { ConsumeOptions, Messaging, Priority, Queue } from "../../index.js";
import type { ContractCase } from "../case.js";
import type { ContractContext } from "../context.js";
import { bytes, numbered } from "../text.js";
import { aborted, holdsOnly, postOne, type Taking, take, texts } from "./steps.js";

/** There are no dead letters that a failure too many could go to. */
const UNLIMITED = { maxAttempts: Number.POSITIVE_INFINITY, maxDeliveries: Number.POSITIVE_INFINITY } as const;

function lanesOf(messaging: Messaging, name: string): Queue {
  return messaging.queue(name, { lanes: true });
}

function takeLane(
  context: ContractContext,
  queue: Queue,
  lane: Priority | undefined,
  answer: Parameters<typeof take>[2] = () => "ack",
  options: ConsumeOptions = {},
): Promise<Taking> {
  return take(context, queue, answer, { ...UNLIMITED, lane, ...options });
}

/** Proves that nothing but `expected` is in the lane. */
async function laneHolds(
  context: ContractContext,
  queue: Queue,
  lane: Priority,
  expected: readonly string[] = [],
): Promise<void> {
  await postOne(context, queue, "marker", { priority: lane });
  const { consumer, seen } = await takeLane(context, queue, lane);
  await seen.find((item) => item.text === "marker", `the marker in ${lane}`);
  await context.soon(consumer.close(), "close");
  assert.deepEqual(texts(seen), [...expected, "marker"]);
}

/** Queues with lanes, as applications use them. */
export const laneCases: readonly ContractCase[] = [
  {
    id: "Q-99",
    sentence: "on a queue with lanes the priority selects the lane, on every adapter; no priority means standard",
    async run(context) {
      const { messaging } = await context.node();
      const queue = lanesOf(messaging, context.name("lanes"));
      await postOne(context, queue, "none");
      for (const lane of LANES) await postOne(context, queue, lane, { priority: lane });
      await laneHolds(context, queue, "expedite", ["expedite"]);
      await laneHolds(context, queue, "standard", ["none", "standard"]);
      await laneHolds(context, queue, "bulk", ["bulk"]);
    },
  },
  {
    id: "Q-100",
    sentence: "handlers that hold up one lane leave the others as quick as ever",
    async run(context) {
      const { messaging } = await context.node();
      const queue = lanesOf(messaging, context.name("held-up"));
      const gate = context.gate();
      const slow = await takeLane(context, queue, "standard", () => gate.wait(), { concurrency: 2 });
      const urgent = await takeLane(context, queue, "expedite");
      for (const body of numbered("s", 6)) await postOne(context, queue, body);
      await slow.seen.count(2);
      for (const body of numbered("e", 3)) await postOne(context, queue, body, { priority: "expedite" });
      await urgent.seen.count(3);
      assert.equal(slow.seen.items.length, 2);
      gate.open();
      await slow.seen.count(6);
      assert.deepEqual(texts(slow.seen).sort(), numbered("s", 6));
      assert.deepEqual(texts(urgent.seen), numbered("e", 3));
    },
  },
  {
    id: "Q-101",
    sentence: "a consumer without a lane handles what is in all three, no more at once than its concurrency",
    async run(context) {
      const { messaging } = await context.node();
      const queue = lanesOf(messaging, context.name("all-lanes"));
      const bodies: string[] = [];
      for (const lane of LANES) {
        for (const body of numbered(lane, 5)) {
          bodies.push(body);
          await postOne(context, queue, body, { priority: lane });
        }
      }
      let running = 0;
      let most = 0;
      const work = async (): Promise<void> => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
      };
      const { consumer, seen } = await takeLane(context, queue, undefined, work, { concurrency: 2 });
      await seen.count(bodies.length);
      await context.soon(consumer.close(), "close");
      assert.deepEqual(texts(seen).sort(), bodies.sort());
      assert.ok(most <= 2, `${most} handlers ran at once`);
      for (const lane of LANES) await laneHolds(context, queue, lane);
    },
  },
  {
    id: "Q-102",
    sentence: "setConcurrency of one lane's consumer pauses that lane alone; raised again, it has lost nothing",
    async run(context) {
      const { messaging } = await context.node();
      const queue = lanesOf(messaging, context.name("pause-lane"));
      const paused = await takeLane(context, queue, "bulk");
      const other = await takeLane(context, queue, "standard");
      paused.consumer.setConcurrency(0);
      const first = await takeLane(context, queue, "bulk");
      await postOne(context, queue, "b-0", { priority: "bulk" });
      await postOne(context, queue, "s-0");
      await first.seen.count(1);
      await other.seen.count(1);
      await context.soon(first.consumer.close(), "close");
      await postOne(context, queue, "b-1", { priority: "bulk" });
      paused.consumer.setConcurrency(1);
      await paused.seen.count(1);
      assert.deepEqual(texts(paused.seen), ["b-1"]);
    },
  },
  {
    id: "Q-103",
    sentence: "a failed or released message of a lane comes again in its lane, its failed attempts counted",
    async run(context) {
      const { messaging } = await context.node();
      const queue = lanesOf(messaging, context.name("again"));
      await postOne(context, queue, "one", { priority: "bulk" });
      const answers = ["release", "requeue", { retryInMs: 1_200 }, "dead-letter", "ack"] as const;
      const { seen, consumer } = await takeLane(context, queue, "bulk", (_, index) => answers[index]);
      await seen.count(5, 3_000);
      assert.deepEqual(
        seen.items.map(({ delivery }) => delivery.attempt),
        [1, 1, 2, 3, 4],
      );
      assert.deepEqual(
        seen.items.map(({ delivery }) => delivery.redelivered),
        [false, true, true, true, true],
      );
      await context.soon(consumer.close(), "close");
      for (const lane of LANES) await laneHolds(context, queue, lane);
    },
  },
  {
    id: "Q-104",
    sentence: "what expires in a lane is dropped, and never delivered",
    where: { "queue.expiry": true },
    async run(context) {
      const { messaging } = await context.node();
      const queue = lanesOf(messaging, context.name("lane-expiry"));
      await postOne(context, queue, "old", { expiresInMs: 100 });
      await postOne(context, queue, "fresh", { expiresInMs: 60_000 });
      await context.window(400, "four times the expiry, in which a broker that expires what waits has done so");
      await laneHolds(context, queue, "standard", ["fresh"]);
    },
  },
  {
    id: "Q-105",
    sentence: "on a queue with lanes expiresInMs is refused with UNSUPPORTED where the broker cannot expire",
    where: { "queue.expiry": false },
    async run(context) {
      const { messaging } = await context.node();
      const queue = lanesOf(messaging, context.name("lane-expiry"));
      const attempt = () => queue.publish({ body: bytes("refused") }, { expiresInMs: 60_000 });
      await context.unsupported(attempt, "expiry", "publish with expiresInMs");
      await laneHolds(context, queue, "standard");
    },
  },
  {
    id: "Q-106",
    sentence:
      "on a queue with lanes persistent: true and a delay are refused with UNSUPPORTED, naming the alternative, and nothing is published",
    async run(context) {
      const { messaging } = await context.node();
      const queue = lanesOf(messaging, context.name("lane-refusals"));
      const body = bytes("refused");
      await context.unsupported(() => queue.publish({ body }, { persistent: true }), "persistent", "persistent: true");
      await context.unsupported(() => queue.publish({ body }, { delayMs: 50 }), "delayMs", "publish with delayMs");
      await postOne(context, queue, "accepted", { persistent: false, delayMs: 0 });
      await laneHolds(context, queue, "standard", ["accepted"]);
    },
  },
  {
    id: "Q-107",
    sentence:
      "consuming lanes with a bound on attempts or losses is refused with UNSUPPORTED: there are no dead letters",
    async run(context) {
      const { messaging } = await context.node();
      const queue = lanesOf(messaging, context.name("lane-bounds"));
      for (const options of [{}, { maxAttempts: UNLIMITED.maxAttempts }, { maxDeliveries: UNLIMITED.maxDeliveries }]) {
        const attempt = () => queue.consume(async () => "ack", options);
        const { message } = await context.refused(attempt, "UNSUPPORTED", `consume with ${Object.keys(options)}`);
        assert.match(message, /maxAttempts: Infinity, maxDeliveries: Infinity/);
      }
    },
  },
  {
    id: "Q-108",
    sentence: "a lane that is none, and a lane of a queue that has none, are refused with INVALID_ARGUMENT",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("no-lane");
      const misspelt: object = { ...UNLIMITED, lane: "urgent" };
      const queue = lanesOf(messaging, name);
      await context.refused(() => queue.consume(async () => "ack", misspelt), "INVALID_ARGUMENT", "the lane urgent");
      const plain = messaging.queue(name);
      const attempt = () => plain.consume(async () => "ack", { ...UNLIMITED, lane: "bulk" });
      await context.refused(attempt, "INVALID_ARGUMENT", "a lane of a queue without lanes");
      const lanes: object = { lanes: "yes" };
      await context.refused(() => messaging.queue(name, lanes), "INVALID_ARGUMENT", 'lanes: "yes"');
    },
  },
  {
    id: "Q-109",
    sentence: "a queue with lanes and one without never show each other's messages, also under the same name",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("same-name");
      await postOne(context, messaging.queue(name), "plain");
      await postOne(context, lanesOf(messaging, name), "request");
      await holdsOnly(context, messaging, name, ["plain"]);
      await laneHolds(context, lanesOf(messaging, name), "standard", ["request"]);
    },
  },
  {
    id: "Q-110",
    sentence: "consumers of lanes come back after a lost link, and what was unsettled comes again in its lane",
    needs: ["dropConnections"],
    async run(context) {
      const { messaging } = await context.node();
      const queue = lanesOf(messaging, context.name("lost-lanes"));
      const bulk = await takeLane(context, queue, "bulk", ({ delivery }, index) =>
        index === 0 ? aborted(delivery.signal) : undefined,
      );
      const shared = lanesOf(messaging, context.name("lost-all-lanes"));
      const all = await takeLane(context, shared, undefined);
      await postOne(context, queue, "held", { priority: "bulk" });
      await bulk.seen.count(1);
      await context.dropConnections();
      const again = await bulk.seen.at(1, context.recoveryMs);
      assert.equal(again.text, "held");
      assert.equal(again.delivery.redelivered, true);
      assert.equal(again.delivery.attempt, 1, "a loss is no failed attempt");
      for (const lane of LANES) await postOne(context, shared, lane, { priority: lane });
      await all.seen.count(3, context.recoveryMs);
      assert.deepEqual(texts(all.seen).sort(), [...LANES].sort());
    },
  },
];
