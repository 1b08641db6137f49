import { randomUUID } from "node:crypto";
import { describe, it } from "vitest";
import { memoryBroker, memoryDriver } from "../../../adapters/memory/index.js";
import {
  type AdapterHarness,
  contractFamilies,
  notVerified,
  runCase,
  verifiedCases,
} from "../../../src/contract/index.js";
import { createMessaging } from "../../../src/index.js";
import { PATIENT } from "../memory/contract-harness.js";
import { eventsOverGrpc } from "./events-over-grpc.js";

/** Clients reach event services on the memory broker through `queue.QueueApi`: each service behind a gateway of its own. */
function queueApiHarness(): AdapterHarness {
  const broker = memoryBroker();
  const createDriver = () => memoryDriver({ broker });
  return {
    name: "QueueApi to memory",
    capabilities: createDriver().capabilities,
    createDriver,
    createMessaging: async (own) => createMessaging({ ...own, driver: createDriver() }),
    events: eventsOverGrpc,
    uniqueName: (purpose) => `${purpose} ${randomUUID()}`,
    faults: {
      dropConnections: async () => broker.dropConnections(),
      freezeBroker: async () => broker.freeze(),
      thawBroker: async () => broker.thaw(),
      blockPublishes: async () => broker.setBlocked(true),
      unblockPublishes: async () => broker.setBlocked(false),
    },
    cleanup: async () => {},
    timeScale: PATIENT,
  };
}

const harness = queueApiHarness();
const cases = new Set(verifiedCases(harness));
const open = notVerified(harness).map(({ id }) => id);

for (const family of contractFamilies.filter(({ letter }) => letter === "E")) {
  const left = open.filter((id) => id.startsWith("E-"));
  describe(`contract: ${harness.name}, ${family.title} (not verified: ${left.join(" ")})`, () => {
    for (const subject of family.cases.filter((one) => cases.has(one))) {
      it.concurrent(`${subject.id} ${subject.sentence}`, () => runCase(subject, queueApiHarness()), 180_000);
    }
  });
}
