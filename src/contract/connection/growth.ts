import assert from "node:assert";
import type { ContractCase } from "../case.js";
import { aborted, take } from "../queue/steps.js";
import { answersAgain } from "../request-sink/comeback-steps.js";
import { echo, service } from "../request-sink/steps.js";
import { bytes } from "../text.js";
import { countedNode } from "./counted-node.js";
import { openAgain, timesOpen } from "./steps.js";

/** More than there may be timers by chance. */
const CUTS = 20;
/** What happens at intervals has its timer at some times and not at others. */
const SOME_TIMERS = 10;

/** Sockets of this process. */
function sockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP")).length;
}

/** Faults leave nothing behind. */
export const growthCases: readonly ContractCase[] = [
  {
    id: "C-92",
    sentence: `${CUTS} lost links leave nothing behind: as many connections, consumers, subscriptions, inboxes, timers and sockets as before`,
    needs: ["dropConnections", "createDriver"],
    limitMs: 60_000,
    async run(context) {
      const node = countedNode(context);
      const { messaging, observed } = node;
      const name = context.name("growth");
      const requests = context.name("growth-requests");
      const queue = messaging.queue(name);
      const { consumer } = await take(
        context,
        queue,
        ({ delivery, text }) => (text === "held" ? aborted(delivery.signal) : undefined),
        { concurrency: 2, maxDeliveries: Number.POSITIVE_INFINITY },
      );
      const subscribing = messaging.broadcast(name).subscribe(() => {});
      const subscription = await context.soon(subscribing, "subscribe");
      const server = await context.serve(node, requests, service(context, echo));
      const sink = messaging.requestSink(requests);
      await answersAgain(context, sink);
      await context.soon(queue.publish({ body: bytes("held") }), "publish");
      const held = () => ({ ...node.held(), sockets: sockets() });
      const isBack = (): boolean =>
        messaging.state === "open" &&
        consumer.state === "running" &&
        subscription.state === "live" &&
        server.state === "running";
      const cut = async (): Promise<void> => {
        const before = timesOpen(observed);
        const publishing = queue.publish({ body: bytes("one") });
        publishing.catch(() => undefined);
        await context.dropConnections();
        await openAgain(context, node, before);
        await context.soon(publishing, "publish", context.recoveryMs);
        await context.until(isBack, () => "all to be back", context.recoveryMs);
      };
      // The first time something may be made that is kept for good.
      await cut();
      await answersAgain(context, sink);
      await context.window(50, "what is over is put away by then");
      const before = held();
      assert.ok(before.consumers > 0 && before.subscriptions > 0 && before.inboxes > 0, JSON.stringify(before));
      const most = { ...before, timers: before.timers + SOME_TIMERS };
      // A socket may have been on its way out when they were counted: fewer than before is no growth.
      const isAsBefore = (): boolean => {
        const now = held();
        return (Object.keys(most) as (keyof typeof most)[]).every((kind) => now[kind] <= most[kind]);
      };
      for (let cuts = 1; cuts <= CUTS; cuts += 1) {
        await cut();
        if (cuts % 10 === 0) await answersAgain(context, sink);
      }
      await context.until(
        () => isAsBefore() && consumer.inFlight === 1,
        () =>
          `what is held to be what it was before ${CUTS} cuts, ${JSON.stringify(before)}, and one message; it is ${JSON.stringify(held())}, and ${consumer.inFlight} messages`,
        context.recoveryMs,
      );
    },
  },
];
