import { randomUUID } from "node:crypto";
import { type MemoryOptions, memoryBroker, memoryDriver } from "../../../adapters/memory/index.js";
import type { AdapterHarness } from "../../../src/contract/index.js";
import { createMessaging } from "../../../src/index.js";

/** All nodes of one harness share a broker. */
export function memoryHarness(name: string, options: MemoryOptions = {}): AdapterHarness {
  const broker = memoryBroker();
  const createDriver = () => memoryDriver({ ...options, broker });
  return {
    name,
    capabilities: createDriver().capabilities,
    createDriver,
    createMessaging: async (own) => createMessaging({ ...own, driver: createDriver() }),
    async createUnreachable({ connectTimeoutMs }) {
      const refusing = memoryBroker();
      refusing.refuseConnections(true);
      return createMessaging({ driver: memoryDriver({ ...options, broker: refusing }), connectTimeoutMs });
    },
    uniqueName: (purpose) => `${purpose} ${randomUUID()}`,
    faults: {
      dropConnections: async () => broker.dropConnections(),
      dropConsumers: async (queue) => broker.dropConsumers(queue),
      deleteQueue: async (queue) => broker.deleteQueue(queue),
      freezeBroker: async () => broker.freeze(),
      thawBroker: async () => broker.thaw(),
      blockPublishes: async () => broker.setBlocked(true),
      unblockPublishes: async () => broker.setBlocked(false),
    },
    cleanup: async () => {},
  };
}
