import assert from "node:assert";
import { listen, tell } from "../broadcast/steps.js";
import type { ContractCase } from "../case.js";
import { post, take } from "../queue/steps.js";
import { answersAgain } from "../request-sink/comeback-steps.js";
import { echo, service } from "../request-sink/steps.js";
import { openAgain, takesOn } from "./steps.js";

/** A node that has failed to connect for long tries again at most this late. */
const RECONNECT_MS = 10_000;

/** The broker is gone and comes back. */
export const restartCases: readonly ContractCase[] = [
  {
    id: "C-91",
    sentence:
      "a broker that starts anew while a node closes: its close ends; the consumers, subscriptions and servers of others come back",
    needs: ["restartBroker"],
    limitMs: 120_000,
    async run(context) {
      const leaving = await context.node();
      const staying = await context.node();
      const name = context.name("restart");
      const requests = context.name("restart-requests");
      const gate = context.gate();
      const { seen } = await take(context, leaving.messaging.queue(`${name} out`), () => gate.wait());
      await post(context, leaving.messaging.queue(`${name} out`), "held");
      const { delivery } = await seen.at(0);
      const taking = await take(context, staying.messaging.queue(name));
      const { heard, subscription } = await listen(context, staying.messaging.broadcast(name));
      await context.serve(staying, requests, service(context, echo));
      const caller = await context.node();
      await answersAgain(context, caller.messaging.requestSink(requests));
      const closing = leaving.messaging.close({ drainMs: 20_000 });
      await context.soon(context.fault("restartBroker")(), "restartBroker", 60_000);
      gate.open();
      await context.soon(closing, "close while the broker starts anew", 25_000);
      await context.soon(delivery.settled, "settled");
      assert.equal(leaving.messaging.state, "closed");
      await openAgain(context, staying, 1, RECONNECT_MS);
      await takesOn(context, staying.messaging, taking, name, "after");
      await context.until(
        () => subscription.state === "live",
        () => `the subscription to be live, it is ${subscription.state}`,
        context.recoveryMs,
      );
      await openAgain(context, caller, 1, RECONNECT_MS);
      await tell(context, caller.messaging.broadcast(name), "after");
      await heard.find((item) => item.text === "after", "a broadcast", context.recoveryMs);
      await answersAgain(context, caller.messaging.requestSink(requests));
    },
  },
];
