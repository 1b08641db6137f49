import { Metadata, Server, ServerCredentials, type ServerDuplexStream, status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import type { CallStream } from "../../../adapters/grpc/call-output.js";
import { createSinkClient, type SinkClient } from "../../../adapters/grpc/index.js";
import { loadRequestSink } from "../../../adapters/grpc/proto.js";
import { call, type RequestSink, type ResponseStream } from "../../../src/index.js";
import { until } from "./rig.js";
import { bytes, LONG_MS, read } from "./sink-rig.js";

type ClientFrame = CallStream extends ServerDuplexStream<infer In, infer _> ? In : never;
type ServerFrame =
  CallStream extends ServerDuplexStream<infer _, infer Out> ? NonNullable<Exclude<Out, Metadata>> : never;

const response = (sequence: number, body = "r", bodyBytes = 0): ServerFrame => ({
  response: { sequence, body: bytes(body), bodyBytes },
});

describe("a sink client at a server that does as it likes", () => {
  let server: Server;
  let client: SinkClient;
  let received: ClientFrame[];
  let streams: CallStream[];
  let leavesOpen = false;

  /** Starts a call; the server answers with the frames, and then with the status if there is one. */
  const start = async (
    frames: readonly ServerFrame[],
    end?: { readonly code: status; readonly details: string; readonly metadata?: Metadata },
    options: { readonly window?: number; readonly windowBytes?: number } = {},
    through: (sink: RequestSink) => RequestSink = (sink) => sink,
  ): Promise<ResponseStream<Uint8Array>> => {
    received = [];
    streams = [];
    server = new Server();
    server.addService(loadRequestSink().service, {
      Call(stream: CallStream) {
        streams.push(stream);
        stream.on("end", () => {
          if (!leavesOpen) stream.end();
        });
        stream.on("data", (frame: ClientFrame) => {
          received.push(frame);
          if (frame.request === undefined) return;
          for (const one of frames) stream.write(one);
          if (end === undefined) return;
          if (end.code === status.OK) stream.end();
          else stream.emit("error", end);
        });
      },
      Signal() {},
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    client = createSinkClient({ address: `127.0.0.1:${port}` });
    return call(through(client.requestSink("sink")), { body: bytes("") }, { timeoutMs: LONG_MS, ...options });
  };

  afterEach(async () => {
    await client.close();
    server.forceShutdown();
  });

  it.each<[string, readonly ServerFrame[], string, RegExp, number]>([
    ["a gap", [response(1), response(3)], "DATA_LOSS", /response 2 was lost/, 1],
    ["a response twice", [response(1), response(1)], "DATA_LOSS", /response 2 was lost/, 1],
    ["an end that counts more", [response(1), { end: { total: 2 } }], "DATA_LOSS", /response 2 was lost/, 1],
    ["a part without a beginning", [{ bodyPart: bytes("a") }], "DATA_LOSS", /without its beginning/, 0],
    ["a response within another", [response(1, "a", 2), response(2)], "DATA_LOSS", /response 1 was lost/, 0],
    ["an end within a response", [response(1, "a", 2), { end: { total: 1 } }], "DATA_LOSS", /response 1 was lost/, 0],
    ["too much of a body", [response(1, "a", 2), { bodyPart: bytes("bc") }], "INVALID_ARGUMENT", /longer than/, 0],
    ["a response that is too large", [response(1, "a", 67_108_865)], "TOO_LARGE", /at most 67108864/, 0],
    ["an unknown error", [{ error: { code: "NEW", message: "what" } }], "REMOTE", /what/, 0],
    ["an error without a text", [{ error: { code: "REJECTED" } }], "REJECTED", /without a text/, 0],
  ])("fails a call with %s, once, and tells the server", async (_, frames, code, message, before) => {
    const { texts, error } = await read(await start(frames));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(texts.length).toBe(before);
    await until(() => streams[0]?.readableEnded === true || streams[0]?.cancelled === true);
  });

  it("fails a call that is sent more than its window, in responses and in bytes", async () => {
    const many = Array.from({ length: 5 }, (_, index) => response(index + 1, "12345"));
    const stream = await start(many, undefined, { window: 4 });
    await expect(stream.ended).rejects.toMatchObject({ code: "REJECTED", message: /response 5 without credit/ });
    await client.close();
    server.forceShutdown();
    const heavy = await start(many, undefined, { windowBytes: 12 });
    await expect(heavy.ended).rejects.toMatchObject({ code: "REJECTED", message: /response 4 without credit/ });
    await until(() => received.some(({ abort }) => abort?.code === "REJECTED"));
  });

  it("closes, although the server leaves the streams of ended calls open", async () => {
    leavesOpen = true;
    const stream = await start([response(1), { end: { total: 1 } }]);
    await stream.ended;
    await client.close();
    leavesOpen = false;
    await until(() => streams[0]?.cancelled === true);
  });

  it("ignores frames that it does not know, and keep-alives that say nothing", async () => {
    const stream = await start([
      {},
      { keepAlive: { extendMs: "18446744073709551615" } },
      { keepAlive: {} },
      response(1),
      { end: { total: 1 } },
    ]);
    expect(await read(stream)).toEqual({ texts: ["r"], error: undefined });
  });

  const coded = (code: string): Metadata => {
    const metadata = new Metadata();
    metadata.set("fairlead-code", code);
    return metadata;
  };

  it.each<[string, Parameters<typeof start>[1], string]>([
    ["OK without an end", { code: status.OK, details: "" }, "DATA_LOSS"],
    ["CANCELLED", { code: status.CANCELLED, details: "x" }, "UNAVAILABLE"],
    ["RESOURCE_EXHAUSTED", { code: status.RESOURCE_EXHAUSTED, details: "x" }, "REJECTED"],
    ["UNAUTHENTICATED", { code: status.UNAUTHENTICATED, details: "x" }, "UNAUTHENTICATED"],
    ["DEADLINE_EXCEEDED", { code: status.DEADLINE_EXCEEDED, details: "x" }, "TIMEOUT"],
    ["FAILED_PRECONDITION", { code: status.FAILED_PRECONDITION, details: "x" }, "UNKNOWN"],
    ["a code of ours", { code: status.UNKNOWN, details: "x", metadata: coded("TOO_LARGE") }, "TOO_LARGE"],
    ["a code that is none", { code: status.NOT_FOUND, details: "x", metadata: coded("toString") }, "NOT_FOUND"],
  ])("tells the status %s by a code", async (_, end, code) => {
    const stream = await start([], end);
    await expect(stream.ended).rejects.toMatchObject({ code });
  });

  const credits = (): number[] => received.flatMap(({ credit }) => (credit ? [Number(credit.taken)] : []));

  it("gives credit in batches of half a window, and what is left within moments", async () => {
    const frames = Array.from({ length: 8 }, (_, index) => response(index + 1));
    const stream = await start(frames, undefined, { window: 8 });
    expect((await stream.batch({ max: 8, waitMs: 5_000 })).length).toBe(8);
    await until(() => credits().at(-1) === 8);
    expect(credits()).toEqual([4, 8]);
    streams[0]?.write(response(9));
    await stream.batch({ max: 1, waitMs: 5_000 });
    await until(() => credits().at(-1) === 9);
  });

  it("gives credit for what came from the server, not for what a sink in front of it has answered", async () => {
    const stream = await start([], undefined, { window: 1 }, (sink) => ({
      signal(request, context) {
        void context.respond({ body: bytes("from here") });
        sink.signal(request, context);
      },
      abort() {},
    }));
    expect((await stream.batch({ max: 1, waitMs: LONG_MS })).length).toBe(1);
    for (const sequence of [1, 2]) {
      await until(() => streams.length === 1 && credits().length === sequence - 1);
      streams[0]?.write(response(sequence));
      expect((await stream.batch({ max: 1, waitMs: LONG_MS })).length).toBe(1);
    }
    streams[0]?.write({ end: { total: 2 } });
    await stream.ended;
    await until(() => streams[0]?.readableEnded === true);
    expect(credits()).toEqual([1, 2]);
  });

  it.each<[string, readonly ServerFrame[], Parameters<typeof start>[1], string]>([
    ["its end", [{ end: { total: 0 } }], undefined, "end"],
    ["an error", [{ error: { code: "REJECTED", message: "x" } }], undefined, "REJECTED"],
    ["a status", [], { code: status.RESOURCE_EXHAUSTED, details: "x" }, "REJECTED"],
    ["a stream without its end", [], { code: status.OK, details: "" }, "DATA_LOSS"],
  ])("closes the stream of a call whose context throws when it is told %s", async (_, frames, end, what) => {
    const told: string[] = [];
    const tell = (text: string): never => {
      told.push(text);
      throw new Error(`${text} has thrown`);
    };
    const stream = await start(frames, end, {}, (sink) => ({
      signal(request, { callId, deadline, signal, window, windowBytes, allowKeepAlive }) {
        const given = { callId, deadline, signal, window, windowBytes, allowKeepAlive };
        sink.signal(request, {
          ...given,
          keepAlive: () => true,
          respond: async () => true,
          end: () => tell("end"),
          fail: ({ code }) => tell(code),
        });
      },
      abort() {},
    }));
    await until(() => told.length > 0);
    await until(() => streams[0]?.readableEnded === true || streams[0]?.destroyed === true);
    await client.close();
    stream.abort();
    expect(told).toEqual([what]);
  });
});
