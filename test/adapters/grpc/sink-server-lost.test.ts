import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createSinkClient, type SinkClient, type SinkClientOptions } from "../../../adapters/grpc/index.js";
import { Stopwatch } from "../../../src/contract/stopwatch.js";
import { call, callOne } from "../../../src/index.js";
import { type ChildProgram, startProgram } from "../../../tools/process/child-program.js";
import { freePorts } from "../../../tools/process/free-ports.js";
import { until } from "./rig.js";
import { bytes, LONG_MS, Recorder, read, SinkRig, textOf } from "./sink-rig.js";

/** A process with a gateway: "slow" answers once and then goes on for ever, "mute" never answers, "echo" does. */
const PROGRAM = `
const at = (path) => import(new URL(path, ${JSON.stringify(new URL("../../../dist/", import.meta.url).href)}));
const { createMessaging, sinkOf } = await at("src/index.js");
const { createEventService } = await at("src/events/index.js");
const { memoryDriver } = await at("adapters/memory/index.js");
const { createGrpcGateway } = await at("adapters/grpc/index.js");
const events = createEventService({ messaging: createMessaging({ driver: memoryDriver() }) });
const echo = sinkOf(async function* ({ body }) { yield { body }; });
const slow = sinkOf(async function* ({ body }) { yield { body }; await new Promise(() => {}); });
const mute = { signal() {}, abort() {} };
const gateway = createGrpcGateway({ events, sinks: { echo, slow, mute }, listen: process.env.LISTEN });
console.log("ready on " + await gateway.start());
`;

describe("a server that is lost", () => {
  const programs: ChildProgram[] = [];
  const clients: SinkClient[] = [];

  const startServer = async (listen: string): Promise<ChildProgram> => {
    const program = startProgram("--input-type=module", ["-e", PROGRAM], { env: { ...process.env, LISTEN: listen } });
    programs.push(program);
    await program.line(/ready on/, 15_000);
    return program;
  };
  const connect = (options: SinkClientOptions): SinkClient => {
    const client = createSinkClient(options);
    clients.push(client);
    return client;
  };
  const nextAddress = async (): Promise<string> => `127.0.0.1:${(await freePorts(1))[0]}`;

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await Promise.all(programs.splice(0).map((program) => program.kill()));
  });

  it("fails calls with UNAVAILABLE at once when it is not there", async () => {
    const sink = connect({ address: await nextAddress() }).requestSink("echo");
    const watch = new Stopwatch();
    const failure = callOne(sink, { body: bytes("a") }, { timeoutMs: LONG_MS });
    await expect(failure).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: true });
    expect(watch.undisturbedMs).toBeLessThan(5_000);
  });

  it("fails them with UNAVAILABLE when it is killed, before and in the middle of the responses, and is found again", async () => {
    const address = await nextAddress();
    const server = await startServer(address);
    const client = connect({ address });
    const slow = call(client.requestSink("slow"), { body: bytes("first") }, { timeoutMs: LONG_MS });
    const mute = call(client.requestSink("mute"), { body: bytes("") }, { timeoutMs: LONG_MS });
    const reader = slow[Symbol.asyncIterator]();
    const first = await reader.next();
    expect(textOf(first.value.body)).toBe("first");
    const watch = new Stopwatch();
    await server.kill();
    await expect(mute.ended).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(reader.next()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(watch.undisturbedMs).toBeLessThan(3_000);
    await startServer(address);
    const deadline = Date.now() + 30_000;
    for (;;) {
      const outcome = await read(call(client.requestSink("echo"), { body: bytes("again") }, { timeoutMs: LONG_MS }));
      if (outcome.error === undefined) {
        expect(outcome.texts).toEqual(["again"]);
        break;
      }
      expect(outcome.error.code).toBe("UNAVAILABLE");
      expect(Date.now()).toBeLessThan(deadline);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });

  it("fails them with UNAVAILABLE when it is frozen, long before their time is over", async () => {
    const address = await nextAddress();
    const server = await startServer(address);
    const client = connect({ address, keepaliveTimeMs: 1_000, keepaliveTimeoutMs: 2_000 });
    const slow = call(client.requestSink("slow"), { body: bytes("") }, { timeoutMs: LONG_MS });
    const reader = slow[Symbol.asyncIterator]();
    await reader.next();
    process.kill(server.pid, "SIGSTOP");
    await expect(slow.ended).rejects.toMatchObject({ code: "UNAVAILABLE" });
    process.kill(server.pid, "SIGCONT");
  });

  it("fails calls when their time is over where nobody says anything, and closes all the same", async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => sockets.add(socket.on("error", () => {})));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = silent.address() as AddressInfo;
      const client = connect({ address: `127.0.0.1:${port}` });
      const sink = client.requestSink("echo");
      const failure = callOne(sink, { body: Buffer.alloc(1_000_000) }, { timeoutMs: 200 });
      await expect(failure).rejects.toMatchObject({ code: "TIMEOUT" });
      const pending = callOne(sink, { body: bytes("a") }, { timeoutMs: LONG_MS });
      const closing = client.close();
      await expect(pending).rejects.toMatchObject({ code: "CLOSED" });
      await closing;
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });
});

describe("a gateway that shuts down", () => {
  let rig: SinkRig;
  afterEach(() => rig.close());

  it("lets open calls end, refuses new ones with UNAVAILABLE, and closes when they are done", async () => {
    const recorder = new Recorder();
    rig = await SinkRig.start({ recorder });
    const sink = rig.client().requestSink("recorder");
    const stream = call(sink, { body: bytes("a") }, { timeoutMs: LONG_MS });
    const { context } = await recorder.next();
    let isClosed = false;
    const closing = rig.gateway.close().then(() => {
      isClosed = true;
    });
    const late = callOne(sink, { body: bytes("b") }, { timeoutMs: LONG_MS });
    await expect(late).rejects.toMatchObject({ code: "UNAVAILABLE", message: /shutting down/ });
    expect(await context.respond({ body: bytes("still") })).toBe(true);
    expect(isClosed).toBe(false);
    expect(context.signal.aborted).toBe(false);
    context.end();
    expect(await read(stream)).toEqual({ texts: ["still"], error: undefined });
    await closing;
    expect(recorder.calls.length).toBe(1);
  });

  it("ends those that take longer than the drain with UNAVAILABLE, behind what was sent", async () => {
    const recorder = new Recorder();
    rig = await SinkRig.start({ recorder });
    const stream = call(rig.client().requestSink("recorder"), { body: bytes("a") }, { timeoutMs: LONG_MS });
    const { context } = await recorder.next();
    await context.respond({ body: bytes("1") });
    await rig.gateway.close({ drainMs: 100 });
    expect(context.signal.reason).toMatchObject({ code: "UNAVAILABLE" });
    expect(recorder.aborts).toEqual([context.callId]);
    expect(await context.respond({ body: bytes("2") })).toBe(false);
    expect(await read(stream)).toMatchObject({ texts: ["1"], error: { code: "UNAVAILABLE", message: /shut down/ } });
  });

  it("closes in time although a reader does not read", async () => {
    const recorder = new Recorder();
    rig = await SinkRig.start({ recorder }, { shutdownGraceMs: 100 });
    const options = { timeoutMs: LONG_MS, windowBytes: 2 ** 30 };
    const stream = call(rig.client().requestSink("recorder"), { body: bytes("a") }, options);
    const { context } = await recorder.next();
    for (let index = 0; index < 100; index += 1) void context.respond({ body: new Uint8Array(1_048_576) });
    await rig.gateway.close({ drainMs: 100 });
    await until(() => context.signal.aborted);
    await expect(stream.ended).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});
