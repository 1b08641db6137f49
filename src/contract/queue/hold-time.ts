import assert from "node:assert";
import { DEAD_REASON_HEADER } from "../../driver/index.js";
import { MessagingError, type Observation } from "../../index.js";
import type { ContractCase } from "../case.js";
import type { ContractContext } from "../context.js";
import { aborted, consumeOptions, post, take, takeDead, texts } from "./steps.js";

/** The broker's limit, and what a machine that is busy may add to it. */
function limitOf({ capabilities, recoveryMs }: ContractContext): { readonly holdMs: number; readonly extraMs: number } {
  const { holdMs = 0 } = capabilities.queue;
  return { holdMs, extraMs: holdMs + recoveryMs };
}

function isHeld(observation: Observation): boolean {
  return observation.type === "delivery-held";
}

/** What one hand-out may take: a broker that takes back what is held for too long must never have to. */
export const holdTimeCases: readonly ContractCase[] = [
  {
    id: "Q-160",
    sentence: "a handler that uses up the broker's time loses its delivery alone: signal aborted, failed, tried again",
    where: { "queue.holdMs": true },
    needs: ["shortHold"],
    async run(context) {
      const { messaging, observed } = await context.node();
      const { holdMs, extraMs } = limitOf(context);
      const queue = messaging.queue(context.name("held"));
      const gate = context.gate();
      const options = consumeOptions(context, { concurrency: 2, prefetch: 4 });
      const answer = async (_: unknown, index: number) => (index === 0 ? gate.wait() : undefined);
      const { consumer, seen } = await take(context, queue, answer, options);
      await post(context, queue, "hung", "other");
      const { delivery } = await seen.at(0);
      // That it is in time shows below: a broker that took it back would have cost the consumer.
      await context.soon(aborted(delivery.signal), "the signal", extraMs);
      assert.ok(MessagingError.is(delivery.signal.reason, "TIMEOUT"), String(delivery.signal.reason));
      assert.equal(await context.soon(delivery.settled, "settled"), false);
      const warning = await observed.find(isHeld, "delivery-held");
      assert.ok(warning.type === "delivery-held" && warning.messageId === delivery.messageId);
      assert.ok(warning.ms >= 0.8 * holdMs && warning.limitMs === holdMs, JSON.stringify(warning));
      const again = await seen.find(
        (item) => item.text === "hung" && item.delivery.attempt === 2,
        "attempt 2",
        extraMs,
      );
      assert.ok(again.delivery.redelivered);
      assert.deepEqual([...texts(seen)].sort(), ["hung", "hung", "other"]);
      assert.equal(consumer.inFlight, 1, "the handler that hangs is still counted");
      gate.open();
      const discarded = (item: Observation) => item.type === "discarded" && item.messageId === delivery.messageId;
      await observed.find(discarded, "the late result to be discarded");
      const lost = observed.items.filter((item) => item.type === "consumer" && item.state === "recovering");
      assert.deepEqual(lost, [], "the consumer was lost");
    },
  },
  {
    id: "Q-161",
    sentence: "handlers that hang cost their attempts, and the message goes to the dead letters in the end",
    where: { "queue.holdMs": true, "queue.deadLetter": true },
    needs: ["shortHold"],
    async run(context) {
      const { messaging } = await context.node();
      const { extraMs } = limitOf(context);
      const name = context.name("hung");
      const gate = context.gate();
      const { seen } = await take(context, messaging.queue(name), () => gate.wait(), {
        concurrency: 2,
        maxAttempts: 2,
      });
      await post(context, messaging.queue(name), "poison");
      const dead = await (await takeDead(context, messaging, name)).at(0, 2 * extraMs);
      assert.match(dead.delivery.headers[DEAD_REASON_HEADER] ?? "", /has not settled the message/);
      assert.deepEqual(
        seen.items.map(({ delivery }) => delivery.attempt),
        [1, 2],
      );
    },
  },
  {
    id: "Q-162",
    sentence: "as many handlers as the concurrency may be overdue; with twice as many it pauses, until one returns",
    where: { "queue.holdMs": true },
    needs: ["shortHold"],
    async run(context) {
      const { messaging } = await context.node();
      const { extraMs } = limitOf(context);
      const queue = messaging.queue(context.name("hung-slots"));
      const gate = context.gate();
      const isHung = (index: number): boolean => index < 2;
      const answer = async (_: unknown, index: number) => (isHung(index) ? gate.wait() : undefined);
      const { consumer, seen } = await take(context, queue, answer, consumeOptions(context));
      await post(context, queue, "one", "two");
      await seen.count(2, extraMs);
      await context.until(
        () => consumer.state === "paused",
        () => `paused, it is ${consumer.state}`,
        extraMs,
      );
      assert.equal(consumer.inFlight, 2);
      // Others get what it would have had.
      const other = await take(context, queue, () => "ack", consumeOptions(context));
      await context.until(
        () => new Set(texts(other.seen)).size === 2,
        () => String(other.seen),
        extraMs,
      );
      await context.soon(other.consumer.close(), "close of the other consumer");
      gate.open();
      await context.until(
        () => consumer.state === "running",
        () => `running, it is ${consumer.state}`,
      );
      await post(context, queue, "three");
      await seen.find((item) => item.text === "three", "a message after the pause");
    },
  },
  {
    id: "Q-163",
    sentence: "what waits for a handler for too long is given back, without an attempt, and disturbs nobody",
    where: { "queue.holdMs": true },
    needs: ["shortHold"],
    async run(context) {
      const { messaging, observed } = await context.node();
      const { holdMs, extraMs } = limitOf(context);
      const queue = messaging.queue(context.name("waiting"));
      // Each handler stays within its time; the third message would wait beyond it.
      const answer = () => context.window(0.6 * holdMs, "a handler that takes its time");
      // There before the consumer, so that they arrive together: one that comes later has waited for less when the first is done.
      await post(context, queue, "one", "two", "three");
      const { seen } = await take(context, queue, answer, consumeOptions(context, { prefetch: 3 }));
      await context.until(
        () => new Set(texts(seen)).size === 3,
        () => String(seen),
        3 * extraMs,
      );
      assert.deepEqual(
        seen.items.map(({ delivery }) => delivery.attempt),
        seen.items.map(() => 1),
      );
      const bad = observed.items.filter(
        (item) => item.type === "handler-failed" || (item.type === "consumer" && item.state === "recovering"),
      );
      assert.deepEqual(bad, []);
    },
  },
];
