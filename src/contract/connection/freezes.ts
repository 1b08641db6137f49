import assert from "node:assert";
import { listen, tell } from "../broadcast/steps.js";
import type { ContractCase } from "../case.js";
import { post, postAll, take, texts } from "../queue/steps.js";
import { bytes, numbered } from "../text.js";
import { openAgain, states, takesOn } from "./steps.js";

/** The broker says nothing, for a moment and for longer. */
export const freezeCases: readonly ContractCase[] = [
  {
    id: "C-27",
    sentence:
      "a broker that is silent for a moment costs that moment: what waited is stored, once, and no link is lost",
    needs: ["freezeBroker", "thawBroker"],
    async run(context) {
      const { messaging, observed } = await context.node();
      const name = context.name("moment");
      const queue = messaging.queue(name);
      const { seen } = await take(context, queue);
      await post(context, queue, "before");
      await seen.count(1);
      context.atEnd(context.fault("thawBroker"));
      await context.soon(context.fault("freezeBroker")(), "freezeBroker");
      const bodies = numbered("m", 20);
      const publishing = postAll(context, queue, bodies);
      await context.window(250, "a moment, which is a quarter of the shortest silence that may cost a link");
      await context.soon(context.fault("thawBroker")(), "thawBroker");
      await publishing;
      await seen.count(1 + bodies.length);
      await post(context, queue, "after");
      await seen.find((item) => item.text === "after", "message after");
      assert.deepEqual(texts(seen).sort(), ["after", "before", ...bodies].sort());
      assert.deepEqual(states(observed), ["connecting", "open"]);
    },
  },
  {
    id: "C-28",
    sentence:
      "a broker that is silent for longer than a link endures costs the link, which is told; what waited is stored and all is back once the broker answers",
    needs: ["freezeBroker", "thawBroker", "silenceLimitMs"],
    limitMs: 60_000,
    async run(context) {
      const node = await context.node();
      const { messaging, observed } = node;
      const name = context.name("silent");
      const taking = await take(context, messaging.queue(name));
      const { heard, subscription } = await listen(context, messaging.broadcast(name));
      await post(context, messaging.queue(name), "before");
      await taking.seen.count(1);
      context.atEnd(context.fault("thawBroker"));
      await context.soon(context.fault("freezeBroker")(), "freezeBroker");
      const publishing = messaging.queue(name).publish({ body: bytes("during") });
      publishing.catch(() => undefined);
      const silenceMs = context.fault("silenceLimitMs");
      await observed.until(() => states(observed).includes("reconnecting"), "reconnecting", silenceMs);
      const attempt = () => messaging.queue(name).publish({ body: bytes("never") }, { timeoutMs: 200 });
      await context.refused(attempt, "UNAVAILABLE", "publish to a broker that is silent");
      await context.soon(context.fault("thawBroker")(), "thawBroker");
      await openAgain(context, node, 1, 15_000);
      await context.soon(publishing, "the publish that waited", context.recoveryMs);
      await taking.seen.find((item) => item.text === "during", "what was published meanwhile", context.recoveryMs);
      await takesOn(context, messaging, taking, name, "after");
      await context.until(
        () => subscription.state === "live",
        () => `the subscription to be live, it is ${subscription.state}`,
        context.recoveryMs,
      );
      await tell(context, (await context.node()).messaging.broadcast(name), "after");
      await heard.find((item) => item.text === "after", "a broadcast");
    },
  },
];
