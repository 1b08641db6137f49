import { createMessaging } from "../../src/core/messaging.js";
import type { Capabilities } from "../../src/ports/capabilities.js";
import type { Messaging } from "../../src/ports/messaging.js";
import type { Observation } from "../../src/ports/observer.js";
import { type ScriptedConnection, ScriptedDriver } from "./scripted-driver.js";
import { VirtualClock } from "./virtual-clock.js";

export interface Fixture {
  readonly clock: VirtualClock;
  readonly driver: ScriptedDriver;
  readonly messaging: Messaging;
  readonly observations: Observation[];
}

export function fixture(queue: Partial<Capabilities["queue"]> = {}): Fixture {
  const clock = new VirtualClock();
  const driver = new ScriptedDriver(queue);
  const observations: Observation[] = [];
  const messaging = createMessaging({
    driver,
    clock,
    random: { fraction: () => 0, uuid: () => "id" },
    observers: [
      (observation) => observations.push(observation),
      () => {
        throw new Error("an observer must not harm");
      },
    ],
  });
  return { clock, driver, messaging, observations };
}

/** The outcome of a promise that may not have one yet. */
export function watch(promise: Promise<unknown>): Watched {
  const seen: Watched = { state: "pending" };
  promise.then(
    () => {
      seen.state = "resolved";
    },
    (error: unknown) => {
      seen.state = "rejected";
      seen.error = error;
    },
  );
  return seen;
}

export interface Watched {
  state: "pending" | "resolved" | "rejected";
  error?: unknown;
}

/** Opens it on a first connection. */
export async function opened({ clock, driver, messaging }: Fixture): Promise<ScriptedConnection> {
  const open = messaging.open();
  await clock.settle();
  driver.last.accept();
  await open;
  return driver.last;
}
