import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { createSinkClient, grpcModule } from "../../../adapters/grpc/index.js";
import { memoryModule } from "../../../adapters/memory/index.js";
import { createContainer, type Server, TOKENS } from "../../../src/container/index.js";
import { call, callOne, type Messaging } from "../../../src/index.js";
import { HealthClient } from "./health-client.js";
import { GrpcRig } from "./rig.js";
import { bytes, echo, LONG_MS, Recorder, read, SinkRig, textOf } from "./sink-rig.js";
import { abort, bodyPart, CALL, credit, request } from "./sink-wire.js";
import { encode, WireClient } from "./wire-client.js";

function health(address: string): Promise<string> {
  const client = new HealthClient(address);
  return client.check("fairlead.v1.RequestSink").finally(() => client.close());
}

describe("a gateway with sinks", () => {
  it("says that it serves them, and without any is UNSUPPORTED", async () => {
    const rig = await SinkRig.start({ echo });
    onTestFinished(() => rig.close());
    expect(await health(rig.address)).toBe("SERVING");
    const bare = await GrpcRig.start();
    onTestFinished(() => bare.close());
    await expect(health(bare.address)).rejects.toMatchObject({ code: status.NOT_FOUND });
    const client = createSinkClient({ address: bare.address });
    onTestFinished(() => client.close());
    const refused = callOne(client.requestSink("echo"), { body: bytes("a") }, { timeoutMs: LONG_MS });
    await expect(refused).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  it("finds sinks on the broker of its container", async () => {
    const sinks = (name: string, messaging: Messaging) => (name === "hidden" ? undefined : messaging.requestSink(name));
    const container = createContainer(memoryModule(), grpcModule({ listen: "127.0.0.1:0", sinks }));
    onTestFinished(() => container.unbindAllAsync());
    const [address = ""] = await container.get<Server>(TOKENS.Server).start();
    await container.get<Messaging>(TOKENS.Messaging).serve("echo", echo);
    const client = createSinkClient({ address });
    onTestFinished(() => client.close());
    const { body } = await callOne(client.requestSink("echo"), { body: bytes("a") }, { timeoutMs: LONG_MS });
    expect(textOf(body)).toBe("a");
    for (const [name, code] of [
      ["hidden", "NOT_FOUND"],
      ["bad\u0000name", "INVALID_ARGUMENT"],
    ] as const) {
      const refused = callOne(client.requestSink(name), { body: bytes("a") }, { timeoutMs: LONG_MS });
      await expect(refused).rejects.toMatchObject({ code });
    }
  });

  it("has a call run 2,500 times on one connection without leaving anything behind", { timeout: 60_000 }, async () => {
    const rig = await SinkRig.start({ echo }, { maxCallsPerClient: 60 });
    onTestFinished(() => rig.close());
    const sink = rig.client().requestSink("echo");
    for (let round = 0; round < 50; round += 1) {
      const calls = Array.from({ length: 50 }, (_, index) =>
        read(call(sink, { body: bytes(`${round} ${index}`), callId: `${index}` }, { timeoutMs: LONG_MS })),
      );
      const outcomes = await Promise.all(calls);
      expect(outcomes.map(({ texts, error }) => [texts, error])).toEqual(
        outcomes.map((_, index) => [[`${round} ${index}`], undefined]),
      );
    }
  });

  it("survives 300 streams of frames at random", { timeout: 60_000 }, async () => {
    const recorder = new Recorder();
    const rig = await SinkRig.start({ recorder, echo });
    onTestFinished(() => rig.close());
    const bytesOf = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
    const number = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    const field = fc.tuple(fc.integer({ min: 1, max: 16 }), fc.oneof(number, bytesOf));
    const frame = fc.oneof(
      bytesOf,
      fc.array(field, { maxLength: 6 }).map((fields) => encode(fields)),
      fc.array(field, { maxLength: 6 }).map((fields) => request("echo", fields)),
      fc.constant(request("recorder")),
      fc.constant(request("recorder", [[4, 5n]])),
      bytesOf.map(bodyPart),
      number.map(credit),
      fc.constant(abort("enough")),
    );
    const client = new WireClient(rig.address);
    onTestFinished(() => client.close());
    const property = fc.asyncProperty(fc.array(frame, { maxLength: 8 }), async (frames) => {
      const stream = client.open(CALL);
      for (const one of frames) stream.send(one);
      stream.stream.end();
      const ended = stream.ended.catch(() => "cut");
      for (const { context } of recorder.calls.splice(0)) context.end();
      const outcome = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 50, "runs"))]);
      // A call that is well and runs at the recorder.
      if (outcome === "runs") for (const { context } of recorder.calls.splice(0)) context.end();
      expect(await ended).not.toBe("cut");
    });
    await fc.assert(property, { numRuns: 300, endOnFailure: true });
    const answer = await callOne(rig.client().requestSink("echo"), { body: bytes("on") }, { timeoutMs: LONG_MS });
    expect(textOf(answer.body)).toBe("on");
  });
});
