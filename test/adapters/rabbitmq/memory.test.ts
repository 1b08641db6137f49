import { randomUUID } from "node:crypto";
import { expect, it, vi } from "vitest";
import { rabbitmqDriver } from "../../../adapters/rabbitmq/index.js";
import { call, createMessaging } from "../../../src/index.js";
import { startProgram } from "../../../tools/process/child-program.js";
import { collectGarbage } from "../../support/collect-garbage.js";
import { brokerUrl } from "./broker.js";

it("a slow reader of 10,000 items makes client and server together grow by 40 MB at most", async () => {
  const flags = ["--broker", brokerUrl, "--items", "10000", "--calls", "0"];
  const program = startProgram("dist/tools/memory/main.js", flags);
  try {
    const { exitCode } = await program.ended;
    expect(program.lines.join("\n")).toMatch(
      /slow reader, 10000 x 1 KiB: \+-?[\d.]+ MB \(at most 40\) ok {2}\[client /,
    );
    expect(exitCode).toBe(0);
  } finally {
    await program.end(5_000);
  }
});

it("a call that runs holds neither the body of its request nor the frame that it came in", async () => {
  const CALLS = 200;
  const BYTES = 90_000;
  const [server, client] = [0, 1].map(() => createMessaging({ driver: rabbitmqDriver({ url: brokerUrl }) }));
  if (server === undefined || client === undefined) throw new Error("no nodes");
  try {
    const name = `idle-${randomUUID()}`;
    const idle = await server.serve(name, { signal() {}, abort() {} }, { concurrency: { standard: CALLS } });
    const sink = client.requestSink(name);
    const startOne = () => {
      const stream = call(sink, { body: new Uint8Array(BYTES) }, { timeoutMs: 60_000 });
      stream.ended.catch(() => undefined);
    };
    startOne();
    await vi.waitFor(() => expect(idle.inFlight).toBe(1), 10_000);
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 1; count < CALLS; count += 1) startOne();
    await vi.waitFor(() => expect(idle.inFlight).toBe(CALLS), 20_000);
    // The pieces of the last frames are let go of a moment later.
    await vi.waitFor(() => {
      collectGarbage();
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan((CALLS * BYTES) / 4);
    }, 20_000);
  } finally {
    await Promise.all([client.close({ drainMs: 0 }), server.close({ drainMs: 0 })]);
  }
});
