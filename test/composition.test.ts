import { describe, it } from "vitest";
import { memoryDriver } from "../adapters/memory/index.js";
import { createMessaging } from "../src/index.js";
import { checkComposition } from "./support/composition.js";

describe("sinks compose", { timeout: 60_000 }, () => {
  it("gRPC client, gRPC server, memory, service", async () => {
    await using far = createMessaging({ driver: memoryDriver() });
    await checkComposition("rows", { far, nearest: (name) => far.requestSink(name) });
  });

  it("gRPC client, gRPC server, memory, bridge, another memory, service", async () => {
    await using far = createMessaging({ driver: memoryDriver() });
    await using near = createMessaging({ driver: memoryDriver() });
    await near.serve("rows", far.requestSink("rows"));
    await checkComposition("rows", { far, nearest: (name) => near.requestSink(name) });
  });
});
