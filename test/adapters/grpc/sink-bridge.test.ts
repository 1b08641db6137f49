import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SinkClient } from "../../../adapters/grpc/index.js";
import { memoryBroker, memoryDriver } from "../../../adapters/memory/index.js";
import { call, createMessaging, type Messaging, type ResponseStream } from "../../../src/index.js";
import { until } from "./rig.js";
import { bytes, LONG_MS, Recorder, read, type Seen, SinkRig } from "./sink-rig.js";

const answer = ({ context }: Seen, text: string): void => {
  void context.respond({ body: bytes(text) });
  context.end();
};

describe("a sink client behind a broker", () => {
  let recorder: Recorder;
  let rig: SinkRig;
  let client: SinkClient;
  let bridge: Messaging;
  let callers: readonly Messaging[];
  beforeEach(async () => {
    recorder = new Recorder();
    rig = await SinkRig.start({ work: recorder });
    client = rig.client();
    const broker = memoryBroker();
    const node = (): Messaging => createMessaging({ driver: memoryDriver({ broker }) });
    bridge = node();
    callers = [node(), node()];
  });
  afterEach(async () => {
    await Promise.all([bridge, ...callers].map((node) => node.close({ drainMs: 0 })));
    await rig.close();
  });

  const start = (caller: Messaging | undefined, callId?: string): ResponseStream<Uint8Array> => {
    const sink = caller === undefined ? client.requestSink("work") : caller.requestSink("bridge");
    return call(sink, { body: bytes("request"), callId }, { timeoutMs: LONG_MS });
  };

  it("refuses no caller its callId because another one uses it", async () => {
    await bridge.serve("bridge", client.requestSink("work"));
    const streams = [undefined, ...callers].map((caller) => start(caller, "same"));
    for (const index of streams.keys()) answer(await recorder.next(index), "answered");
    for (const stream of streams) expect(await read(stream)).toEqual({ texts: ["answered"], error: undefined });
  });

  it("passes the abort of a call on to that call, and to no other of its callId", async () => {
    await bridge.serve("bridge", client.requestSink("work"));
    const own = start(undefined, "same");
    const first = await recorder.next(0);
    const passedOn = start(callers[0], "same");
    const second = await recorder.next(1);
    passedOn.abort();
    await until(() => second.context.signal.aborted);
    expect(await read(passedOn)).toMatchObject({ error: { code: "ABORTED" } });
    expect(first.context.signal.aborted).toBe(false);
    answer(first, "answered");
    expect(await read(own)).toEqual({ texts: ["answered"], error: undefined });
  });

  it("tells the service to stop when a response cannot be passed on", async () => {
    const encode = (): never => {
      throw new Error("cannot be encoded");
    };
    const responseCodec = { contentType: "text/plain", encode, decode: (body: Uint8Array) => body };
    await bridge.serve("bridge", client.requestSink("work"), { responseCodec });
    const stream = start(callers[0]);
    const { context } = await recorder.next();
    void context.respond({ body: bytes("one") });
    expect(await read(stream)).toMatchObject({ error: { code: "REMOTE" } });
    await until(() => context.signal.aborted);
    expect(context.signal.reason).toMatchObject({ code: "ABORTED" });
  });

  it("tells a service to stop that keeps a call alive which has ended at its caller's side", async () => {
    const behind = client.requestSink("work");
    await bridge.serve("bridge", {
      signal(request, context) {
        behind.signal(request, context);
        context.end();
      },
      abort() {},
    });
    const stream = start(callers[0]);
    const { context } = await recorder.next();
    expect(await read(stream)).toEqual({ texts: [], error: undefined });
    expect(context.keepAlive(LONG_MS)).toBe(true);
    await until(() => context.signal.aborted);
    expect(context.signal.reason).toMatchObject({ code: "ABORTED" });
  });
});
