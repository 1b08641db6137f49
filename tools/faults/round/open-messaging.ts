import { createMessaging, type Messaging, type Observer } from "../../../src/index.js";
import { type DriverChoices, driverOf } from "./driver-of.js";
import type { FaultRound } from "./scenario.js";

export interface OpenMessagingOptions extends DriverChoices {
  readonly observers?: readonly Observer[] | undefined;
  readonly connectTimeoutMs?: number | undefined;
}

const DRAIN_MS = 2_000;

/** A node on the broker, closed at the end of the round. */
export function openMessaging(
  round: FaultRound,
  url: string | readonly string[],
  { observers, connectTimeoutMs, ...choices }: OpenMessagingOptions = {},
): Messaging {
  const messaging = createMessaging({ driver: driverOf(url, choices), observers, connectTimeoutMs });
  round.atEnd(() => messaging.close({ drainMs: DRAIN_MS }));
  return messaging;
}
