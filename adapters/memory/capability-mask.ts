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
      }
    | undefined;
  readonly broadcast?: { readonly loopback?: boolean | undefined } | undefined;
}

const FLAGS = ["persistent", "deadLetter", "delayedDelivery", "expiry", "priority"] as const;

/** What is left of the broker's abilities. */
export function resolveCapabilities(checks: Checks, raw: unknown, maxMessageBytes: number): Capabilities {
  const mask = checks.object("capabilities", raw, ["queue", "broadcast"]);
  const queue = checks.object("capabilities.queue", mask.queue, FLAGS);
  const broadcast = checks.object("capabilities.broadcast", mask.broadcast, ["loopback"]);
  if (checks.flag("capabilities.queue.persistent", queue.persistent, false)) {
    checks.fault("capabilities.queue.persistent cannot be true: memory is gone with the process");
  }
  const left = (flag: (typeof FLAGS)[number]): boolean => checks.flag(`capabilities.queue.${flag}`, queue[flag], true);
  return Object.freeze({
    queue: Object.freeze({
      persistent: false,
      deadLetter: left("deadLetter"),
      delayedDelivery: left("delayedDelivery"),
      expiry: left("expiry"),
      priority: left("priority"),
      ordering: "until-requeue",
    }),
    broadcast: Object.freeze({ loopback: checks.flag("capabilities.broadcast.loopback", broadcast.loopback, true) }),
    maxMessageBytes,
  });
}
