import assert from "node:assert";
import type { ContractCase } from "../case.js";
import { openAgain } from "../connection/steps.js";
import { listen, tell, words } from "./steps.js";

/** Subscriptions after a fault. */
export const comebackCases: readonly ContractCase[] = [
  {
    id: "B-22",
    sentence: "a subscription that has come back again and again hears each broadcast once",
    needs: ["dropConnections"],
    async run(context) {
      const name = context.name("once");
      const node = await context.node();
      const sender = (await context.node()).messaging.broadcast(name);
      const { heard, subscription } = await listen(context, node.messaging.broadcast(name));
      for (const losses of [1, 2]) {
        await context.dropConnections();
        await openAgain(context, node, losses);
      }
      await context.until(
        () => subscription.state === "live",
        () => `the subscription to be live, it is ${subscription.state}`,
        context.recoveryMs,
      );
      // At most once: a link of the sender that is being lost may take one with it.
      await context.until(
        () => {
          sender.publish({ body: new Uint8Array(0) }).catch(() => undefined);
          return heard.items.length > 0;
        },
        () => "a broadcast to be heard",
        context.recoveryMs,
      );
      await tell(context, sender, "all");
      await tell(context, sender, "node", { node: node.messaging.nodeId });
      await tell(context, sender, "end");
      await heard.find((item) => item.text === "end", "the last");
      assert.deepEqual(
        words(heard).filter((word) => word !== ""),
        ["all", "node", "end"],
      );
    },
  },
  {
    id: "B-23",
    sentence:
      "a broker that is silent for a moment costs a subscription nothing: it is live, and hears what is said after it",
    needs: ["freezeBroker", "thawBroker"],
    async run(context) {
      const name = context.name("silent");
      const { messaging, observed } = await context.node();
      const sender = (await context.node()).messaging.broadcast(name);
      const { heard, subscription } = await listen(context, messaging.broadcast(name));
      await tell(context, sender, "before");
      await heard.count(1);
      context.atEnd(context.fault("thawBroker"));
      await context.soon(context.fault("freezeBroker")(), "freezeBroker");
      const during = context.soon(sender.publish({ body: new Uint8Array(0) }), "the broadcast meanwhile");
      await context.window(200, "a moment, which costs no link");
      await context.soon(context.fault("thawBroker")(), "thawBroker");
      await during;
      await tell(context, sender, "after");
      await heard.find((item) => item.text === "after", "the last");
      assert.equal(subscription.state, "live");
      assert.ok(!observed.items.some((item) => item.type === "subscription" && item.state === "recovering"));
    },
  },
];
