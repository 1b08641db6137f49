import { randomUUID } from "node:crypto";
import type { Random } from "../../src/ports/clock.js";
import type { TurnTimes } from "./turns.js";

/** The event loop's turns, and a clock that never goes back. */
export const machineTimes: TurnTimes = {
  schedule: (run) => void setImmediate(run),
  now: () => performance.now(),
};

export const machineRandom: Random = { fraction: Math.random, uuid: () => randomUUID() };
