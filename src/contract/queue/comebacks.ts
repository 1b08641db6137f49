import assert from "node:assert";
import type { ContractCase } from "../case.js";
import { openAgain, takesOn } from "../connection/steps.js";
import { numbered } from "../text.js";
import { distinct, post, postAll, take, texts } from "./steps.js";

/** Consumers after a fault: as they were, and without what is settled. */
export const comebackCases: readonly ContractCase[] = [
  {
    id: "Q-141",
    sentence: "a consumer that comes back holds as many messages as before, and handles as many at once",
    needs: ["dropConnections"],
    async run(context) {
      const node = await context.node();
      const other = await context.node();
      const name = context.name("prefetch");
      const gate = context.gate();
      let running = 0;
      let most = 0;
      const { consumer, seen } = await take(
        context,
        node.messaging.queue(name),
        async ({ delivery }) => {
          running += 1;
          most = Math.max(most, running);
          await Promise.race([
            gate.wait(),
            new Promise((resolve) => delivery.signal.addEventListener("abort", resolve)),
          ]);
          running -= 1;
        },
        { concurrency: 2, prefetch: 3 },
      );
      await postAll(context, other.messaging.queue(name), numbered("m", 8));
      await seen.count(2);
      await context.dropConnections();
      await openAgain(context, node, 1);
      await context.until(
        () => consumer.state === "running" && seen.items.length >= 4,
        () => `the consumer to run again, it is ${consumer.state}; ${seen}`,
        context.recoveryMs,
      );
      const rest = await take(context, other.messaging.queue(name), () => "ack", { concurrency: 10 });
      await rest.seen.count(5);
      await post(context, other.messaging.queue(name), "marker");
      await rest.seen.find((item) => item.text === "marker", "the marker");
      assert.equal(rest.seen.items.length, 6, `the consumer does not hold its 3 messages; ${rest.seen}`);
      gate.open();
      await context.until(
        () => new Set([...distinct(seen), ...distinct(rest.seen)]).size === 9,
        () => `all messages to be handled; ${seen}; ${rest.seen}`,
      );
      assert.equal(most, 2);
    },
  },
  {
    id: "Q-142",
    sentence: "what was settled does not come again after a lost link",
    needs: ["dropConnections"],
    async run(context) {
      const node = await context.node();
      const name = context.name("settled");
      const taking = await take(context, node.messaging.queue(name), () => "ack", { concurrency: 5, prefetch: 10 });
      const bodies = numbered("m", 40);
      await postAll(context, node.messaging.queue(name), bodies);
      await taking.seen.count(bodies.length);
      for (const { delivery } of taking.seen.items) {
        assert.equal(await context.soon(delivery.settled, "settled"), true);
      }
      // What is on its way when settled says so is there when a later message has been through.
      await takesOn(context, node.messaging, taking, name, "fence");
      await context.window(30, "a broker that has taken the settlements passes them on to where it keeps them");
      await context.dropConnections();
      await openAgain(context, node, 1);
      await takesOn(context, node.messaging, taking, name, "marker");
      const handled = texts(taking.seen).filter((body) => body.startsWith("m-"));
      assert.deepEqual(handled.sort(), bodies.sort());
    },
  },
  {
    id: "Q-143",
    sentence:
      "settled resolves for every delivery, also when links are cut amid the settling, and each message is settled in the end",
    needs: ["dropConnections"],
    async run(context) {
      const node = await context.node();
      const sender = await context.node();
      const name = context.name("amid-settling");
      const bodies = numbered("m", 150);
      const cuts = [
        { least: 30, gate: context.gate() },
        { least: 90, gate: context.gate() },
      ];
      let started = 0;
      const handle = async (): Promise<void> => {
        started += 1;
        const number = started;
        // So many are left for after each cut, however fast the broker is.
        for (const { least, gate } of cuts) if (number > least) await gate.wait();
        await new Promise<void>((resolve) => setTimeout(resolve, number % 4));
      };
      const { seen } = await take(context, node.messaging.queue(name), handle, { concurrency: 10, prefetch: 20 });
      const publishing = postAll(context, sender.messaging.queue(name), bodies);
      for (const { least, gate } of cuts) {
        await seen.count(least, context.recoveryMs);
        gate.open();
        await context.dropConnections();
      }
      await publishing;
      await seen.until(() => distinct(seen).size === bodies.length, `all ${bodies.length}`, context.recoveryMs);
      const settled = new Set<string>();
      const deadline = performance.now() + 2 * context.recoveryMs;
      for (let index = 0; settled.size < bodies.length; ) {
        const item = seen.items[index];
        if (item === undefined) {
          const missing = bodies.filter((body) => !settled.has(body));
          assert.ok(performance.now() < deadline, `not settled, and not come again: ${missing.join(", ")}`);
          await context.window(5, "until more has come again");
          continue;
        }
        index += 1;
        if (await context.soon(item.delivery.settled, `settled of ${item.text}`)) settled.add(item.text);
      }
    },
  },
  {
    id: "Q-144",
    sentence:
      "a settlement that a silent broker keeps waiting reaches it when it answers, and the message does not come again",
    needs: ["freezeBroker", "thawBroker"],
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("settle-silent");
      const gate = context.gate();
      const taking = await take(context, messaging.queue(name), ({ text }) =>
        text === "held" ? gate.wait() : undefined,
      );
      await post(context, messaging.queue(name), "held");
      const { delivery } = await taking.seen.at(0);
      context.atEnd(context.fault("thawBroker"));
      await context.soon(context.fault("freezeBroker")(), "freezeBroker");
      gate.open();
      await context.window(200, "a moment, which costs no link");
      await context.soon(context.fault("thawBroker")(), "thawBroker");
      assert.equal(await context.soon(delivery.settled, "settled"), true);
      await takesOn(context, messaging, taking, name, "after");
      assert.deepEqual(texts(taking.seen), ["held", "after"]);
    },
  },
];
