import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MessagingError, sinkOf } from "../../../src/index.js";
import { until } from "./rig.js";
import { bytes, echo, numbers, Recorder, SinkRig } from "./sink-rig.js";
import { abort, bodyPart, CALL, credit, readFrame, request, SIGNAL } from "./sink-wire.js";
import { decode, encode, text, WireClient } from "./wire-client.js";

const OK = 0;
const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const PERMISSION_DENIED = 7;

describe("a client of sinks made from field numbers alone", () => {
  let rig: SinkRig;
  let client: WireClient;
  let recorder: Recorder;

  beforeEach(async () => {
    recorder = new Recorder();
    const refuse = sinkOf(async function* () {
      yield { body: bytes("1") };
      throw new MessagingError("PERMISSION_DENIED", "not for you");
    });
    rig = await SinkRig.start({ echo, numbers, recorder, refuse });
    client = new WireClient(rig.address);
  });
  afterEach(async () => {
    client.close();
    await rig.close();
  });

  it("calls: a request in parts, responses for credit, keep-alive, an end with the total", async () => {
    const call = client.open(CALL);
    const header = encode([
      [1, text("x-a")],
      [2, text("é")],
    ]);
    call.send(
      request("recorder", [
        [2, text("id")],
        [3, text("two ")],
        [4, 9n],
        [5, text("text/plain")],
        [6, header],
        [7, 3n],
        [8, 1n],
        [12, 2n],
        [14, 1_700_000_000_123n],
      ]),
    );
    call.send(bodyPart(text("par")));
    call.send(bodyPart(text("ts")));
    const seen = await recorder.next();
    expect(Buffer.from(seen.request.body).toString()).toBe("two parts");
    expect(seen.request).toMatchObject({
      callId: "id",
      contentType: "text/plain",
      headers: { "x-a": "é" },
      priority: "expedite",
      idempotent: true,
      timestamp: 1_700_000_000_123,
    });
    const { context } = seen;
    expect(context).toMatchObject({ window: 2, windowBytes: 8_388_608, allowKeepAlive: true });
    expect(await context.respond({ body: bytes("a"), headers: { h: "1" }, contentType: "text/html" })).toBe(true);
    const second = context.respond({ body: bytes("b") });
    await until(() => call.messages.length === 2);
    call.send(credit(2n));
    expect(await second).toBe(true);
    expect(context.keepAlive(90_000)).toBe(true);
    await context.respond({ body: Buffer.alloc(300_000, 7) });
    context.end();
    expect(await call.ended).toBe(OK);

    const frames = call.messages.map(readFrame);
    expect(frames.map(({ kind }) => kind)).toEqual([
      "response",
      "response",
      "keepAlive",
      "response",
      "bodyPart",
      "end",
    ]);
    const [first, , alive, large, part, end] = frames.map(({ fields }) => fields);
    expect(first?.get(1)).toBe(1n);
    expect(first?.get(2)).toEqual(text("a"));
    expect(first?.get(4)).toEqual(text("text/html"));
    expect(decode(first?.get(5) as Buffer)).toEqual(
      new Map([
        [1, text("h")],
        [2, text("1")],
      ]),
    );
    expect(Number(alive?.get(1))).toBeGreaterThan(80_000);
    expect(large?.get(1)).toBe(3n);
    expect(large?.get(3)).toBe(300_000n);
    expect(Buffer.concat([large?.get(2) as Buffer, part?.get(0) as Buffer])).toEqual(Buffer.alloc(300_000, 7));
    expect(end).toEqual(new Map([[1, 3n]]));
  });

  it("calls with two fields, gets a name for the call, and an error behind the responses", async () => {
    const plain = client.open(CALL);
    plain.send(request("recorder"));
    plain.stream.end();
    const { request: seen, context } = await recorder.next();
    expect(seen.callId).toMatch(/^[0-9a-f-]{36}$/);
    expect(seen).toMatchObject({ contentType: "application/octet-stream", priority: "standard", idempotent: false });
    expect(Math.abs(seen.timestamp - Date.now())).toBeLessThan(5_000);
    expect(context).toMatchObject({ window: 512, allowKeepAlive: true });
    context.end();
    expect(await plain.ended).toBe(OK);

    const refused = client.open(CALL);
    refused.send(request("refuse"));
    expect(await refused.ended).toBe(OK);
    const [response, error] = refused.messages.map(readFrame);
    expect(response?.kind).toBe("response");
    expect(error).toEqual({
      kind: "error",
      fields: new Map<number, bigint | Buffer>([
        [1, text("PERMISSION_DENIED")],
        [2, text("not for you")],
        [3, 0n],
      ]),
    });
  });

  it("aborts, with a reason, and cancels", async () => {
    const aborted = client.open(CALL);
    aborted.send(request("recorder"));
    const first = await recorder.next();
    aborted.send(abort("no longer needed"));
    expect(await aborted.ended).toBe(CANCELLED);
    expect(first.context.signal.reason).toMatchObject({ code: "ABORTED", message: /no longer needed/ });

    const late = client.open(CALL);
    late.send(request("recorder"));
    const { context } = await recorder.next(1);
    late.send(abort("x".repeat(10_000), "TIMEOUT"));
    expect(await late.ended).toBe(CANCELLED);
    expect(context.signal.reason).toMatchObject({ code: "TIMEOUT" });
    expect((context.signal.reason as Error).message.length).toBeLessThan(1_100);

    const cancelled = client.open(CALL);
    cancelled.send(request("recorder"));
    const second = await recorder.next(2);
    cancelled.stream.close(8);
    await until(() => second.context.signal.aborted);
    expect(second.context.signal.reason).toMatchObject({ code: "ABORTED" });

    client.open(CALL).send(request("recorder"));
    const third = await recorder.next(3);
    client.close();
    await until(() => third.context.signal.aborted);
  });

  it("signals: one request, streamed responses, a status", async () => {
    const plain = client.call(
      SIGNAL,
      encode([
        [1, text("numbers")],
        [3, text("600 10")],
        [8, 60_000n],
      ]),
    );
    expect(await plain.ended).toBe(OK);
    expect(plain.messages.length).toBe(600);
    expect(Number.parseInt(String(decode(plain.messages[599] ?? Buffer.alloc(0)).get(1)), 10)).toBe(599);

    const refused = client.call(
      SIGNAL,
      encode([
        [1, text("refuse")],
        [8, 60_000n],
      ]),
    );
    expect(await refused.ended).toBe(PERMISSION_DENIED);
    expect(refused.details).toBe("not for you");
    expect(refused.trailers["fairlead-code"]).toBe("PERMISSION_DENIED");
    expect(refused.messages.length).toBe(1);
  });

  it("signals: a reader that does not read holds up the sink, and its deadline is the rpc's", async () => {
    let sent = 0;
    const fountain = sinkOf(async function* () {
      for (;;) {
        sent += 1;
        yield { body: new Uint8Array(10_000) };
      }
    });
    await rig.close();
    rig = await SinkRig.start({ fountain, recorder });
    client = new WireClient(rig.address);
    const stalled = client.open(SIGNAL);
    stalled.send(
      encode([
        [1, text("fountain")],
        [8, 60_000n],
      ]),
    );
    stalled.stream.end();
    await until(() => stalled.headersCame);
    stalled.stream.pause();
    let last = -1;
    for (; last !== sent; await new Promise((resolve) => setTimeout(resolve, 100))) last = sent;
    // What HTTP/2 lets through, and 256 KiB.
    expect(sent).toBeLessThan(100);
    stalled.stream.resume();
    await until(() => sent > 500);
    stalled.stream.close(8);

    const late = client.open(SIGNAL, { "grpc-timeout": "4000m" });
    late.send(encode([[1, text("recorder")]]));
    late.stream.end();
    const { context } = await recorder.next();
    expect(context.deadline - Date.now()).toBeLessThanOrEqual(4_000);
    expect(context.keepAlive(60_000)).toBe(true);
    expect(context.deadline - Date.now()).toBeLessThanOrEqual(4_000);
    expect(await late.ended).toBe(DEADLINE_EXCEEDED);
    await until(() => context.signal.aborted);
    expect(context.signal.reason).toMatchObject({ code: "TIMEOUT" });
  });
});
