import type { Capabilities } from "../../src/ports/capabilities.js";
import { Broker, type MemoryBroker } from "./broker.js";
import { BROKER_KEYS, type MemoryBrokerOptions, resolveBrokerPart } from "./broker-options.js";
import { type CapabilityMask, resolveCapabilities } from "./capability-mask.js";
import { Checks } from "./checks.js";
import type { Latency } from "./hop.js";

export interface MemoryOptions extends MemoryBrokerOptions {
  /** The broker to share with other drivers. Default: one of its own, made with the other options. */
  readonly broker?: MemoryBroker | undefined;
  /** Turns abilities off. Default: none. */
  readonly capabilities?: CapabilityMask | undefined;
  /** False: deliveries do not say how often the message was handed out. Default true. */
  readonly countDeliveries?: boolean | undefined;
  /**
   * Lets each way (a publish, its confirm, a delivery, its settlement, a broadcast, a frame) take a random time; what
   * follows on one channel stays in order. Default: the next turn of the event loop.
   */
  readonly latency?: Latency | undefined;
  /** The largest body, at most the default and the broker's `maxQueueBytes`. Default 67,108,864 (64 MiB). */
  readonly maxMessageBytes?: number | undefined;
}

export interface ResolvedMemoryOptions {
  readonly broker: Broker;
  readonly capabilities: Capabilities;
  readonly countDeliveries: boolean;
  readonly latency: Latency | undefined;
}

const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const OWN_KEYS = ["broker", "capabilities", "countDeliveries", "latency", "maxMessageBytes"] as const;

/** Throws `INVALID_ARGUMENT` that names every fault, unknown keys included. The result is frozen. */
export function resolveMemoryOptions(raw: MemoryOptions = {}): ResolvedMemoryOptions {
  const checks = new Checks("memoryDriver");
  const options = checks.object("options", raw, [...OWN_KEYS, ...BROKER_KEYS]);
  const broker = resolveBroker(checks, options);
  const maxMessageBytes = checks.count(
    "maxMessageBytes",
    options.maxMessageBytes,
    MAX_MESSAGE_BYTES,
    MAX_MESSAGE_BYTES,
  );
  const resolved = {
    broker,
    capabilities: resolveCapabilities(checks, options.capabilities, Math.min(maxMessageBytes, broker.maxQueueBytes)),
    countDeliveries: checks.flag("countDeliveries", options.countDeliveries, true),
    latency: resolveLatency(checks, options.latency),
  };
  checks.throwIfFaulty();
  return Object.freeze(resolved);
}

function resolveBroker(checks: Checks, options: Readonly<Record<string, unknown>>): Broker {
  const { broker } = options;
  const own = resolveBrokerPart(checks, options);
  if (broker === undefined) return new Broker(own);
  for (const key of BROKER_KEYS) {
    if (options[key] !== undefined) checks.fault(`${key} belongs to the shared broker: give it to memoryBroker()`);
  }
  if (broker instanceof Broker) return broker;
  checks.fault("broker must be made by memoryBroker()");
  return new Broker(own);
}

function resolveLatency(checks: Checks, raw: unknown): Latency | undefined {
  if (raw === undefined) return undefined;
  const { minMs, maxMs } = checks.object("latency", raw, ["minMs", "maxMs"]);
  const latency = {
    minMs: checks.milliseconds("latency.minMs", minMs),
    maxMs: checks.milliseconds("latency.maxMs", maxMs),
  };
  if (latency.minMs > latency.maxMs) checks.fault("latency.minMs must not be over latency.maxMs");
  return Object.freeze(latency);
}
