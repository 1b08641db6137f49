import type { Clock, Random } from "../../src/ports/clock.js";
import { machineClock } from "../../src/util/machine-clock.js";
import { Checks } from "./checks.js";
import { machineRandom, machineTimes } from "./system.js";
import type { TurnTimes } from "./turns.js";

export interface MemoryBrokerOptions {
  /**
   * The most bytes of bodies and headers that one queue holds; a publish beyond is refused with `REJECTED`. Retries and
   * dead letters are taken all the same. Default 268,435,456 (256 MiB).
   */
  readonly maxQueueBytes?: number | undefined;
  /** The most messages that one queue holds, likewise. Default 1,000,000. */
  readonly maxQueueMessages?: number | undefined;
  /** For delays, expiry and latency. Default: the machine's. */
  readonly clock?: Clock | undefined;
  /** For latency and the addresses of inboxes. Default: the machine's. */
  readonly random?: Random | undefined;
  /**
   * Calls `run` once the caller is done, soon, in the order of the calls: what a simulation drives the broker with. The
   * clock then also bounds a turn. Default: `setImmediate`.
   */
  readonly schedule?: ((run: () => void) => void) | undefined;
}

export interface ResolvedMemoryBrokerOptions {
  readonly maxQueueBytes: number;
  readonly maxQueueMessages: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly times: TurnTimes;
}

export const BROKER_KEYS = ["maxQueueBytes", "maxQueueMessages", "clock", "random", "schedule"] as const;

/** Throws `INVALID_ARGUMENT` that names every fault, unknown keys included. The result is frozen. */
export function resolveMemoryBrokerOptions(raw: MemoryBrokerOptions = {}): ResolvedMemoryBrokerOptions {
  const checks = new Checks("memoryBroker");
  const options = checks.object("options", raw, BROKER_KEYS);
  const resolved = resolveBrokerPart(checks, options);
  checks.throwIfFaulty();
  return resolved;
}

/** The part of a driver's options that is for the broker which it makes for itself. */
export function resolveBrokerPart(
  checks: Checks,
  options: Readonly<Record<string, unknown>>,
): ResolvedMemoryBrokerOptions {
  const clock = checks.made<Clock>("clock", options.clock, ["now", "setTimer"], machineClock);
  const schedule = checks.action<TurnTimes["schedule"]>("schedule", options.schedule);
  return Object.freeze({
    maxQueueBytes: checks.count("maxQueueBytes", options.maxQueueBytes, 256 * 1024 * 1024),
    maxQueueMessages: checks.count("maxQueueMessages", options.maxQueueMessages, 1_000_000),
    clock,
    random: checks.made<Random>("random", options.random, ["fraction", "uuid"], machineRandom),
    times: schedule === undefined ? machineTimes : Object.freeze({ schedule, now: () => clock.now() }),
  });
}
