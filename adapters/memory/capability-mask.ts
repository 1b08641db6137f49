import type { Capabilities } from "../../src/ports/capabilities.js";
import type { Checks } from "./checks.js";

/** Turns abilities off, to see how an application fares on a lesser broker. What is off, the broker does not do. */
export interface CapabilityMask {
  readonly queue?:
    | {
        /** False in any case: the messages are gone with the process. */
        readonly persistent?: boolean | undefined;
        readonly deadLetter?: boolean | undefined;
        readonly delayedDelivery?: boolean | undefined;
        readonly expiry?: boolean | undefined;
        readonly priority?: boolean | undefined;
        /**
         * A consumer that holds a message for longer than this many milliseconds is lost, with all that it holds, as on some
         * brokers. Default: a message may be held for ever.
         */
        readonly holdMs?: number | undefined;
      }
    | undefined;
  readonly broadcast?: { readonly loopback?: boolean | undefined } | undefined;
  /** `"none"`: operators see nothing. */
  readonly inspection?: "none" | "ready" | undefined;
}

const FLAGS = ["persistent", "deadLetter", "delayedDelivery", "expiry", "priority"] as const;

/** What is left of the broker's abilities. */
export function resolveCapabilities(checks: Checks, raw: unknown, maxMessageBytes: number): Capabilities {
  const mask = checks.object("capabilities", raw, ["queue", "broadcast", "inspection"]);
  const queue = checks.object("capabilities.queue", mask.queue, [...FLAGS, "holdMs"]);
  const broadcast = checks.object("capabilities.broadcast", mask.broadcast, ["loopback"]);
  if (checks.flag("capabilities.queue.persistent", queue.persistent, false)) {
    checks.fault("capabilities.queue.persistent cannot be true: memory is gone with the process");
  }
  const { inspection = "ready" } = mask;
  if (inspection !== "none" && inspection !== "ready") checks.fault("capabilities.inspection must be none or ready");
  const left = (flag: (typeof FLAGS)[number]): boolean => checks.flag(`capabilities.queue.${flag}`, queue[flag], true);
  const limit = checks.count("capabilities.queue.holdMs", queue.holdMs, Number.POSITIVE_INFINITY);
  return Object.freeze({
    queue: Object.freeze({
      persistent: false,
      deadLetter: left("deadLetter"),
      delayedDelivery: left("delayedDelivery"),
      expiry: left("expiry"),
      priority: left("priority"),
      deduplication: false,
      ordering: "until-requeue",
      ...(limit === Number.POSITIVE_INFINITY ? {} : { holdMs: limit }),
    }),
    broadcast: Object.freeze({ loopback: checks.flag("capabilities.broadcast.loopback", broadcast.loopback, true) }),
    inspection: inspection === "none" ? "none" : "ready",
    maxMessageBytes,
  });
}
