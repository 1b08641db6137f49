import { describe, it } from "vitest";
import { memoryDriver } from "../../../adapters/memory/index.js";
import { rabbitmqDriver } from "../../../adapters/rabbitmq/index.js";
import { createMessaging } from "../../../src/index.js";
import { checkComposition } from "../../support/composition.js";
import { brokerUrl, uniqueName } from "./broker.js";

describe("sinks compose over RabbitMQ", { timeout: 60_000 }, () => {
  it("gRPC client, gRPC server, RabbitMQ, service", async () => {
    await using far = createMessaging({ driver: rabbitmqDriver({ url: brokerUrl }) });
    await using near = createMessaging({ driver: rabbitmqDriver({ url: brokerUrl }) });
    await checkComposition(uniqueName("rows"), { far, nearest: (name) => near.requestSink(name) });
  });

  it("gRPC client, gRPC server, memory, bridge, RabbitMQ, service", async () => {
    await using far = createMessaging({ driver: rabbitmqDriver({ url: brokerUrl }) });
    await using near = createMessaging({ driver: memoryDriver() });
    const name = uniqueName("rows");
    await near.serve(name, far.requestSink(name));
    await checkComposition(name, { far, nearest: () => near.requestSink(name) });
  });

  it("gRPC client, gRPC server, RabbitMQ, bridge, memory, service", async () => {
    await using far = createMessaging({ driver: memoryDriver() });
    await using near = createMessaging({ driver: rabbitmqDriver({ url: brokerUrl }) });
    const name = uniqueName("rows");
    await near.serve(name, far.requestSink(name));
    await checkComposition(name, { far, nearest: () => near.requestSink(name) });
  });
});
