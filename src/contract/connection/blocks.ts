import assert from "node:assert";
import { MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import { post, take } from "../queue/steps.js";
import { bytes } from "../text.js";
import { openAgain, takesOn } from "./steps.js";

/** The broker takes no publishes, and more goes wrong. */
export const blockCases: readonly ContractCase[] = [
  {
    id: "C-29",
    sentence: "close is bounded while the broker takes no publishes, and what waits is refused",
    needs: ["blockPublishes", "unblockPublishes"],
    async run(context) {
      const { messaging, observed } = await context.node();
      const name = context.name("close-blocked");
      const { consumer } = await take(context, messaging.queue(`${name} idle`));
      await post(context, messaging.queue(name), "one");
      context.atEnd(context.fault("unblockPublishes"));
      await context.soon(context.fault("blockPublishes")(), "blockPublishes", context.faultMs);
      const publishing = Promise.allSettled([messaging.queue(name).publish({ body: bytes("two") })]);
      await observed.find((item) => item.type === "blocked" && item.blocked, "blocked", context.recoveryMs);
      await context.soon(messaging.close({ drainMs: 200 }), "close while blocked", 5_000);
      const [outcome] = await context.soon(publishing, "the publish that waited");
      assert.ok(outcome.status === "rejected", "a publish resolved, although the broker took none");
      assert.ok(MessagingError.is(outcome.reason, "CLOSED"), `refused with ${String(outcome.reason)}`);
      assert.deepEqual([messaging.state, consumer.state, messaging.blocked], ["closed", "closed", false]);
    },
  },
  {
    id: "C-90",
    sentence:
      "a link that is lost while the broker takes no publishes loses none of those that wait: they are stored once it takes them again",
    needs: ["blockPublishes", "unblockPublishes", "dropConnections"],
    async run(context) {
      const node = await context.node();
      const { messaging, observed } = node;
      const name = context.name("cut-blocked");
      const taking = await take(context, messaging.queue(name));
      await post(context, messaging.queue(name), "before");
      await taking.seen.count(1);
      context.atEnd(context.fault("unblockPublishes"));
      await context.soon(context.fault("blockPublishes")(), "blockPublishes", context.faultMs);
      const queue = messaging.queue(name);
      const waiting = queue.publish({ body: bytes("waits") });
      waiting.catch(() => undefined);
      const signal = [
        queue.publish({ body: bytes("once") }, { resend: false }),
        messaging.broadcast(name).publish({ body: bytes("signal") }),
      ];
      const once = Promise.allSettled(signal);
      await observed.find((item) => item.type === "blocked" && item.blocked, "blocked", context.recoveryMs);
      await context.dropConnections();
      await openAgain(context, node, 1);
      await context.soon(once, "what is not sent again", context.recoveryMs);
      await context.soon(context.fault("unblockPublishes")(), "unblockPublishes", context.faultMs);
      await context.soon(waiting, "the publish that waited", context.recoveryMs);
      await taking.seen.find((item) => item.text === "waits", "what waited", context.recoveryMs);
      await takesOn(context, messaging, taking, name, "after");
      await context.until(
        () => !messaging.blocked,
        () => "to be blocked no longer",
      );
    },
  },
];
