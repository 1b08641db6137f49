import { randomUUID } from "node:crypto";
import { type MemoryBroker, type MemoryOptions, memoryBroker, memoryDriver } from "../../../adapters/memory/index.js";
import type { AdapterHarness, HarnessFaults } from "../../../src/contract/index.js";
import { createMessaging } from "../../../src/index.js";

/** Multiplies the deadlines of cases that must pass: a machine that is slow breaks no promise. */
export const PATIENT = 4;

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
    faults: memoryFaults(broker),
    cleanup: async () => {},
    timeScale: PATIENT,
  };
}

/** All that can go wrong with a broker in this process. No link to it is given up for its silence. */
export function memoryFaults(broker: MemoryBroker): HarnessFaults {
  return {
    dropConnections: async () => broker.dropConnections(),
    dropConsumers: async (queue) => broker.dropConsumers(queue),
    deleteQueue: async (queue) => broker.deleteQueue(queue),
    restartBroker: async () => broker.restart(),
    freezeBroker: async () => broker.freeze(),
    thawBroker: async () => broker.thaw(),
    blockPublishes: async () => broker.setBlocked(true),
    unblockPublishes: async () => broker.setBlocked(false),
  };
}
