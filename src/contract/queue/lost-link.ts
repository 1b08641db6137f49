import assert from "node:assert";
import { DEAD_REASON_HEADER } from "../../driver/index.js";
import { MessagingError, type PublishOptions, type Queue } from "../../index.js";
import type { ContractCase } from "../case.js";
import type { ContractContext } from "../context.js";
import { bytes, numbered } from "../text.js";
import { aborted, distinct, isSubset, post, postAll, postOne, take, takeDead, texts } from "./steps.js";

/** Keeps publishing while all connections are cut, twice. Returns what publish said was stored. */
async function publishThroughDrops(context: ContractContext, queue: Queue, options: PublishOptions): Promise<string[]> {
  const stored: string[] = [];
  const failures: unknown[] = [];
  let going = true;
  let sent = 0;
  const publishSome = async (): Promise<void> => {
    while (going && sent < 4_000) {
      sent += 1;
      const body = `m-${sent}`;
      try {
        await queue.publish({ body: bytes(body) }, options);
        stored.push(body);
      } catch (error) {
        failures.push(error);
      }
      // One publish after the other would never let the drop have its turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const workers = Promise.all(Array.from({ length: 4 }, publishSome));
  for (let drops = 0; drops < 2; drops += 1) {
    const before = stored.length;
    await context.until(
      () => stored.length >= before + 20,
      () => `20 further publishes, ${stored.length} stored, ${failures.length} failed`,
      context.recoveryMs,
    );
    await context.dropConnections();
  }
  going = false;
  await context.soon(workers, "the publishes that are under way", context.recoveryMs);
  for (const error of failures) {
    assert.ok(options.resend === false, `a publish failed, although it may be sent again: ${String(error)}`);
    assert.ok(MessagingError.is(error, "UNAVAILABLE"), `a publish failed with ${String(error)} instead of UNAVAILABLE`);
  }
  return stored;
}

/** What becomes of deliveries, consumers and publishes when links are lost. */
export const lostLinkCases: readonly ContractCase[] = [
  {
    id: "Q-82",
    sentence:
      "a link lost while a handler runs aborts its signal, makes settled false, and brings the message again with the same attempt",
    needs: ["dropConnections"],
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("lost-in-handler"));
      const { seen } = await take(context, queue, ({ delivery }, index) =>
        index === 0 ? aborted(delivery.signal) : undefined,
      );
      await context.soon(queue.publish({ body: bytes("one"), messageId: "id-1", headers: { kept: "yes" } }), "publish");
      const first = await seen.at(0);
      await context.dropConnections();
      const second = await seen.at(1, context.recoveryMs);
      assert.equal(first.delivery.signal.aborted, true);
      assert.equal(await context.soon(first.delivery.settled, "settled of the lost one"), false);
      assert.equal(second.delivery.attempt, 1);
      assert.equal(second.delivery.redelivered, true);
      assert.equal(second.delivery.messageId, "id-1");
      assert.deepEqual({ ...second.delivery.headers }, { kept: "yes" });
      assert.equal(await context.soon(second.delivery.settled, "settled"), true);
    },
  },
  {
    id: "Q-83",
    sentence: "losses leave the attempt as it is, also after failures",
    needs: ["dropConnections"],
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("lost-later"));
      const { seen } = await take(context, queue, ({ delivery }, index) => {
        if (index === 0) return "requeue";
        return index === 1 ? aborted(delivery.signal) : undefined;
      });
      await post(context, queue, "one");
      await seen.count(2);
      await context.dropConnections();
      await seen.count(3, context.recoveryMs);
      assert.deepEqual(
        seen.items.map(({ delivery }) => delivery.attempt),
        [1, 2, 2],
      );
    },
  },
  {
    id: "Q-84",
    sentence: "a consumer comes back by itself after each lost link, and says so: recovering, running",
    needs: ["dropConnections"],
    async run(context) {
      const { messaging, observed } = await context.node();
      const sender = await context.node();
      const name = context.name("comes-back");
      const { consumer, seen } = await take(context, messaging.queue(name));
      for (const body of ["one", "two"]) {
        const known = observed.items.length;
        await context.dropConnections();
        await observed.until(
          (items) => {
            const states = items.slice(known).flatMap((item) => (item.type === "consumer" ? [item.state] : []));
            return states[0] === "recovering" && states.at(-1) === "running";
          },
          "recovering, then running",
          context.recoveryMs,
        );
        await postOne(context, sender.messaging.queue(name), body);
        await seen.find((item) => item.text === body, `message ${body}`);
      }
      assert.equal(consumer.state, "running");
    },
  },
  {
    id: "Q-85",
    sentence: "a message that is lost maxDeliveries times is dead-lettered as a crash loop, and not handled again",
    where: { "queue.deadLetter": true },
    needs: ["dropConnections"],
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("crash-loop");
      const { seen } = await take(context, messaging.queue(name), ({ delivery }) => aborted(delivery.signal), {
        maxDeliveries: 2,
      });
      await post(context, messaging.queue(name), "one");
      for (let losses = 1; losses <= 2; losses += 1) {
        await seen.count(losses, context.recoveryMs);
        await context.dropConnections();
      }
      const reader = await context.node();
      const dead = await (await takeDead(context, reader.messaging, name)).at(0, context.recoveryMs);
      assert.equal(dead.text, "one");
      assert.equal(dead.delivery.headers[DEAD_REASON_HEADER], "crash-loop");
      assert.equal(seen.items.length, 2);
    },
  },
  {
    id: "Q-86",
    sentence: "publishes that a lost link overtakes are sent again: each resolves, and nothing is lost",
    needs: ["dropConnections"],
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("resend"));
      const stored = await publishThroughDrops(context, queue, {});
      const { seen } = await take(context, queue, () => "ack", { concurrency: 20, prefetch: 100 });
      await seen.until(
        () => isSubset(stored, distinct(seen)),
        `all ${stored.length} that were stored`,
        context.recoveryMs,
      );
    },
  },
  {
    id: "Q-87",
    sentence:
      "with resend: false a publish that a lost link overtakes is refused with UNAVAILABLE; what resolved is stored",
    needs: ["dropConnections"],
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("no-resend"));
      const stored = await publishThroughDrops(context, queue, { resend: false });
      const { seen } = await take(context, queue, () => "ack", { concurrency: 20, prefetch: 100 });
      await seen.until(
        () => isSubset(stored, distinct(seen)),
        `all ${stored.length} that were stored`,
        context.recoveryMs,
      );
    },
  },
  {
    id: "Q-88",
    sentence: "links that are lost twice amid 600 messages lose none of them",
    needs: ["dropConnections"],
    async run(context) {
      const sender = await context.node();
      const receiver = await context.node();
      const name = context.name("amid");
      const answer = () => new Promise<void>((resolve) => setImmediate(resolve));
      const { seen } = await take(context, receiver.messaging.queue(name), answer, { concurrency: 5, prefetch: 20 });
      const bodies = numbered("m", 600);
      const queue = sender.messaging.queue(name);
      for (const part of [0, 1, 2]) {
        const publishing = postAll(context, queue, bodies.slice(part * 200, part * 200 + 200));
        await seen.until(() => distinct(seen).size >= part * 200 + 50, "messages to go on", context.recoveryMs);
        if (part < 2) await context.dropConnections();
        await publishing;
      }
      await seen.until(
        () => distinct(seen).size === bodies.length,
        `all ${bodies.length} messages`,
        context.recoveryMs,
      );
    },
  },
  {
    id: "Q-89",
    sentence: "a paused consumer that comes back after a lost link is still paused",
    needs: ["dropConnections"],
    async run(context) {
      const { messaging, observed } = await context.node();
      const other = await context.node();
      const name = context.name("paused-through");
      const paused = await take(context, messaging.queue(name));
      paused.consumer.setConcurrency(0);
      const known = observed.items.length;
      await context.dropConnections();
      await observed.until(
        (items) => items.slice(known).some((item) => item.type === "consumer" && item.state === "paused"),
        "recovering, then paused",
        context.recoveryMs,
      );
      const second = await take(context, other.messaging.queue(name));
      await post(context, other.messaging.queue(name), "one", "two", "three");
      await second.seen.count(3);
      assert.equal(paused.seen.items.length, 0);
      await context.soon(second.consumer.close(), "close");
      paused.consumer.setConcurrency(1);
      await post(context, other.messaging.queue(name), "four");
      await paused.seen.count(1);
      assert.deepEqual(texts(paused.seen), ["four"]);
    },
  },
];
