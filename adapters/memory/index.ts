import { Broker, type MemoryBroker } from "./broker.js";
import { type MemoryBrokerOptions, resolveMemoryBrokerOptions } from "./broker-options.js";

export type { MemoryBroker } from "./broker.js";
export type { MemoryBrokerOptions } from "./broker-options.js";
export type { CapabilityMask } from "./capability-mask.js";
export { memoryDriver } from "./driver.js";
export type { Latency } from "./hop.js";
export type { QueueCount } from "./memory-queue.js";
export { memoryModule } from "./module.js";
export type { MemoryOptions } from "./options.js";
export { resolveMemoryOptions } from "./options.js";

/** A broker for several drivers. Throws `INVALID_ARGUMENT`, with all faults, for options that it cannot use. */
export function memoryBroker(options?: MemoryBrokerOptions): MemoryBroker {
  return new Broker(resolveMemoryBrokerOptions(options));
}
