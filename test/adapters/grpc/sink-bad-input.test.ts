import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSinkClient, type SinkClientOptions } from "../../../adapters/grpc/index.js";
import { call, callOne, MessagingError, type RequestSink } from "../../../src/index.js";
import { VirtualClock } from "../../support/virtual-clock.js";
import { until } from "./rig.js";
import { bytes, echo, LONG_MS, Recorder, SinkRig, textOf } from "./sink-rig.js";
import { bodyPart, CALL, credit, request, SIGNAL } from "./sink-wire.js";
import { encode, type Field, text, WireClient } from "./wire-client.js";

const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const RESOURCE_EXHAUSTED = 8;
const UNKNOWN = 2;

const fields = (...more: Field[]) => [request("recorder", more)];
const header = (name: string, value: Buffer) =>
  encode([
    [1, text(name)],
    [2, value],
  ]);
const huge = 2n ** 64n - 1n;

describe("what a client of sinks may get wrong", () => {
  let rig: SinkRig;
  let client: WireClient;
  let recorder: Recorder;

  beforeEach(async () => {
    recorder = new Recorder();
    const throwing: RequestSink = {
      signal() {
        throw new Error("thrown by signal");
      },
      abort() {},
    };
    rig = await SinkRig.start({ recorder, echo, throwing }, { maxRequestBytes: 1_000_000, maxUploadBytes: 1_500_000 });
    client = new WireClient(rig.address);
  });
  afterEach(async () => {
    client.close();
    await rig.close();
  });

  it.each<[string, readonly Buffer[], number, RegExp]>([
    ["no frame at all", [], INVALID_ARGUMENT, /half-closed before the request was whole/],
    ["a frame with nothing in it", [Buffer.alloc(0)], INVALID_ARGUMENT, /nothing that is known here/],
    ["bytes that are no frame", [Buffer.from([0x0f])], INVALID_ARGUMENT, /not readable/],
    ["credit first", [credit(0n)], INVALID_ARGUMENT, /credit before the request/],
    ["a part first", [bodyPart(text("a"))], INVALID_ARGUMENT, /a part of a body that/],
    ["a second request", [...fields(), ...fields()], INVALID_ARGUMENT, /second request/],
    ["a second request during the first", [...fields([4, 9n]), ...fields()], INVALID_ARGUMENT, /second request/],
    ["a part of a whole body", [...fields(), bodyPart(text("a"))], INVALID_ARGUMENT, /body that is whole/],
    ["an empty part", [...fields([4, 9n]), bodyPart(Buffer.alloc(0))], INVALID_ARGUMENT, /is empty/],
    [
      "more parts than declared",
      [...fields([4, 2n]), bodyPart(text("abc"))],
      INVALID_ARGUMENT,
      /longer than its body_bytes, 2/,
    ],
    ["fewer parts than declared", [...fields([4, 2n]), bodyPart(text("a"))], INVALID_ARGUMENT, /half-closed before/],
    [
      "less declared than sent",
      fields([3, text("abc")], [4, 2n]),
      INVALID_ARGUMENT,
      /body_bytes is 2, but body alone has 3/,
    ],
    ["credit beyond what was sent", [...fields(), credit(1n)], INVALID_ARGUMENT, /only 0 were sent/],
    ["negative credit", [...fields(), credit(-1n)], INVALID_ARGUMENT, /taken is 18446744073709551615/],
    ["no time-out", fields([9, 0n]), INVALID_ARGUMENT, /timeout_ms is 0, and the rpc has no deadline/],
    ["a huge time-out", fields([9, huge]), INVALID_ARGUMENT, /timeout_ms is .*at most 31536000000/],
    ["a huge body", fields([4, huge]), INVALID_ARGUMENT, /body_bytes is/],
    ["a huge window in bytes", fields([13, huge]), INVALID_ARGUMENT, /window_bytes is/],
    ["a huge timestamp", fields([14, huge]), INVALID_ARGUMENT, /timestamp_ms is/],
    ["an unknown priority", fields([7, 9n]), INVALID_ARGUMENT, /priority 9 is unknown/],
    ["a long call_id", fields([2, text("x".repeat(256))]), INVALID_ARGUMENT, /call_id has 256 bytes/],
    ["a reserved header", fields([6, header("fairlead-x", text("a"))]), INVALID_ARGUMENT, /fairlead- is reserved/],
    ["a header without a name", fields([6, header("", text("a"))]), INVALID_ARGUMENT, /empty name/],
    [
      "a header with a long name",
      fields([6, header("x".repeat(256), text("a"))]),
      INVALID_ARGUMENT,
      /at most 255 bytes/,
    ],
    ["a header that is no UTF-8", fields([6, header("a", Buffer.from([0xff]))]), INVALID_ARGUMENT, /no UTF-8/],
    [
      "a header's name that is no UTF-8",
      fields([6, header("a", text("a")).map((byte) => (byte === 97 ? 255 : byte)) as Buffer]),
      INVALID_ARGUMENT,
      /no UTF-8/,
    ],
    ["a call_id that is no UTF-8", fields([2, Buffer.from([0xc3])]), INVALID_ARGUMENT, /callId is no UTF-8/],
    [
      "several things",
      fields([2, text("x".repeat(256))], [7, 9n], [9, huge]),
      INVALID_ARGUMENT,
      /priority.*call_id.*timeout_ms/,
    ],
    ["an unknown sink", [request("nobody")], NOT_FOUND, /no sink "nobody" on this server/],
    ["a sink without a name", [request("")], NOT_FOUND, /no sink ""/],
    ["a body over the limit", fields([4, 1_000_001n]), RESOURCE_EXHAUSTED, /has 1000001 bytes; at most 1000000/],
  ])("Call refuses %s", async (_, messages, code, details) => {
    const bad = client.open(CALL);
    for (const message of messages) bad.send(message);
    bad.stream.end();
    expect(await bad.ended).toBe(code);
    expect(bad.details).toMatch(details);
    expect(bad.trailers["fairlead-code"]).toMatch(/^(INVALID_ARGUMENT|MALFORMED|NOT_FOUND|TOO_LARGE)$/);
    // Whatever had begun was told so, and the server goes on.
    for (const { context } of recorder.calls) {
      expect(context.signal.aborted).toBe(true);
      expect(context.keepAlive(1)).toBe(false);
    }
    const answer = await callOne(rig.client().requestSink("echo"), { body: bytes("on") }, { timeoutMs: LONG_MS });
    expect(textOf(answer.body)).toBe("on");
  });

  it.each<[string, readonly Field[], number, RegExp]>([
    ["no time-out", [[8, 0n]], INVALID_ARGUMENT, /timeout_ms is 0/],
    ["an unknown sink", [[1, text("nobody")]], NOT_FOUND, /no sink "nobody"/],
    ["a sink that throws", [[1, text("throwing")]], UNKNOWN, /thrown by signal/],
    ["text that is no UTF-8", [[4, Buffer.from([0xff])]], INVALID_ARGUMENT, /contentType is no UTF-8/],
  ])("Signal refuses %s", async (_, more, code, details) => {
    const own = new Map<number, Field>([
      [1, [1, text("recorder")]],
      [8, [8, 60_000n]],
    ]);
    for (const field of more) own.set(field[0], field);
    const bad = client.call(SIGNAL, encode([...own.values()]));
    expect(await bad.ended).toBe(code);
    expect(bad.details).toMatch(details);
  });

  it("clamps the window to 2,048 responses and 64 MiB, and takes credit again that it has had", async () => {
    const stream = client.open(CALL);
    stream.send(
      request("recorder", [
        [12, 1_000_000n],
        [13, 1_000_000_000n],
      ]),
    );
    const { context } = await recorder.next();
    expect(context).toMatchObject({ window: 2_048, windowBytes: 67_108_864 });
    for (let index = 0; index < 3; index += 1) await context.respond({ body: bytes("r") });
    for (const taken of [3n, 3n, 1n, 0n]) stream.send(credit(taken));
    await context.respond({ body: bytes("r") });
    context.end();
    expect(await stream.ended).toBe(0);
  });

  it("waits 10 s for the first frame, and for the rest of a body as long as the call has", async () => {
    await rig.close();
    client.close();
    const clock = new VirtualClock();
    rig = await SinkRig.start({ recorder }, { clock });
    client = new WireClient(rig.address);
    const silent = client.open(CALL);
    await until(() => clock.pending > 0);
    await clock.pass(9_999);
    expect(silent.headersCame).toBe(false);
    await clock.pass(1);
    expect(await silent.ended).toBe(INVALID_ARGUMENT);
    expect(silent.details).toMatch(/no request came within 10000 ms/);
    const half = client.open(CALL);
    half.send(
      request("recorder", [
        [4, 9n],
        [10, 0n],
      ]),
    );
    await until(() => clock.pending > 0);
    await clock.pass(60_000);
    expect(await half.ended).toBe(DEADLINE_EXCEEDED);
    await until(() => clock.pending === 0);
    expect(recorder.calls).toEqual([]);
  });

  it("bounds the requests that are on their way, and gives the room back", async () => {
    const start = (): ReturnType<WireClient["open"]> => {
      const stream = client.open(CALL);
      stream.send(request("recorder", [[4, 900_000n]]));
      return stream;
    };
    const first = start();
    const second = start();
    expect(await second.ended).toBe(RESOURCE_EXHAUSTED);
    expect(second.details).toMatch(/on their way hold 900000 bytes/);
    first.stream.close(8);
    const deadline = Date.now() + 5_000;
    for (;;) {
      const third = start();
      third.send(bodyPart(Buffer.alloc(900_000)));
      const outcome = await Promise.race([third.ended, recorder.next().then(() => "served")]);
      if (outcome === "served") break;
      expect(Date.now()).toBeLessThan(deadline);
    }
    expect(recorder.calls[0]?.request.body.length).toBe(900_000);
  });
});

describe("limits", () => {
  let rig: SinkRig;
  afterEach(() => rig.close());

  it("refuses a client one call too many, others not, and takes it again when one has ended", async () => {
    const recorder = new Recorder();
    rig = await SinkRig.start({ recorder }, { maxCallsPerClient: 2 });
    const client = rig.client();
    const start = (own = client) => call(own.requestSink("recorder"), { body: bytes("a") }, { timeoutMs: LONG_MS });
    const first = start();
    start();
    await recorder.next(1);
    await expect(start().ended).rejects.toMatchObject({ code: "REJECTED", message: /2 calls open; at most 2/ });
    start(rig.client());
    await recorder.next(2);
    recorder.calls[0]?.context.end();
    await first.ended;
    await until(() => {
      start();
      return recorder.calls.length > 3;
    });
  });

  it("names all faults of a sink client's options at once", () => {
    const bad = {
      address: "nowhere",
      keepaliveTimeMs: 0,
      maxResponseBytes: "1",
      port: 1,
    } as unknown as SinkClientOptions;
    expect(() => createSinkClient(bad)).toThrow(
      /unknown option port; known are address.*address must be host:port.*maxResponseBytes must.*keepaliveTimeMs must/,
    );
    expect(() => createSinkClient(undefined as never)).toThrow(MessagingError);
  });

  it("refuses options of a sink that it does not know", async () => {
    rig = await SinkRig.start({ echo });
    expect(() => rig.client().requestSink("echo", { fragmentBytes: 1 } as never)).toThrow(
      /unknown option fragmentBytes/,
    );
  });
});
