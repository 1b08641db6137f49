import { randomUUID } from "node:crypto";
import { describe, it } from "vitest";
import { createGrpcGateway, createSinkClient } from "../../../adapters/grpc/index.js";
import { memoryBroker, memoryDriver } from "../../../adapters/memory/index.js";
import {
  type AdapterHarness,
  contractFamilies,
  type HarnessRequestSink,
  notVerified,
  runCase,
  verifiedCases,
} from "../../../src/contract/index.js";
import { createEventService } from "../../../src/events/index.js";
import { createMessaging, type RequestSinkOptions } from "../../../src/index.js";
import { memoryFaults, PATIENT } from "../memory/contract-harness.js";

/** Callers reach the memory broker through a client, a connection and a gateway. */
function grpcHarness(): AdapterHarness {
  const broker = memoryBroker();
  const createDriver = () => memoryDriver({ broker });
  return {
    name: "gRPC to memory",
    capabilities: createDriver().capabilities,
    createDriver,
    createMessaging: async (own) => createMessaging({ ...own, driver: createDriver() }),
    requestSink: (name, options) => sinkOverGrpc(name, options),
    uniqueName: (purpose) => `${purpose} ${randomUUID()}`,
    faults: memoryFaults(broker),
    cleanup: async () => {},
    timeScale: PATIENT,
  };

  async function sinkOverGrpc<Req, Res>(
    name: string,
    { protocolVersion, fragmentBytes, ...own }: RequestSinkOptions<Req, Res>,
  ): Promise<HarnessRequestSink<Req, Res>> {
    const messaging = createMessaging({ driver: createDriver() });
    const events = createEventService({ messaging });
    const sinks = (asked: string) => messaging.requestSink(asked, { protocolVersion, fragmentBytes });
    const gateway = createGrpcGateway({ events, sinks, listen: "127.0.0.1:0" });
    const client = createSinkClient({ address: await gateway.start() });
    return {
      sink: client.requestSink(name, own),
      async close() {
        await client.close();
        await gateway.close({ drainMs: 0 });
        await events.close({ drainMs: 0 });
        await messaging.close({ drainMs: 0 });
      },
    };
  }
}

const harness = grpcHarness();
const cases = new Set(verifiedCases(harness));
const open = notVerified(harness).map(({ id }) => id);

for (const family of contractFamilies.filter(({ letter }) => letter === "R")) {
  const left = open.filter((id) => id.startsWith("R-"));
  describe(`contract: ${harness.name}, ${family.title} (not verified: ${left.join(" ")})`, () => {
    for (const subject of family.cases.filter((one) => cases.has(one))) {
      it.concurrent(`${subject.id} ${subject.sentence}`, () => runCase(subject, grpcHarness()), 180_000);
    }
  });
}
