import { afterEach, describe, expect, it } from "vitest";
import { call, callOne, callOneWay, jsonCodec, MessagingError, sinkOf } from "../../../src/index.js";
import { until } from "./rig.js";
import { bytes, echo, LONG_MS, numbers, Recorder, read, SinkRig, textOf } from "./sink-rig.js";

describe("a sink over gRPC", () => {
  let rig: SinkRig;
  afterEach(() => rig.close());

  it("carries a request with all that belongs to it, and its response", async () => {
    const recorder = new Recorder();
    rig = await SinkRig.start({ recorder });
    const sink = rig.client().requestSink("recorder");
    const before = Date.now();
    const headers = { "x-a": "é💥", empty: "" };
    const stream = call(
      sink,
      { body: bytes("asked"), headers, contentType: "text/plain", callId: "my call" },
      { timeoutMs: 5_000, priority: "expedite", idempotent: true, window: 7, windowBytes: 99, allowKeepAlive: false },
    );
    const { request, context } = await recorder.next();
    expect(textOf(request.body)).toBe("asked");
    expect(request).toMatchObject({
      callId: "my call",
      headers,
      contentType: "text/plain",
      priority: "expedite",
      idempotent: true,
    });
    expect(request.timestamp).toBeGreaterThanOrEqual(before);
    expect(context).toMatchObject({ callId: "my call", window: 7, windowBytes: 99, allowKeepAlive: false });
    expect(context.deadline - before).toBeGreaterThan(3_000);
    expect(context.deadline - Date.now()).toBeLessThanOrEqual(5_000);
    expect(await context.respond({ body: bytes("answer"), headers: { "x-b": "1" }, contentType: "text/html" })).toBe(
      true,
    );
    context.end();
    const responses = [];
    for await (const response of stream) responses.push(response);
    expect(responses).toMatchObject([{ headers: { "x-b": "1" }, contentType: "text/html" }]);
    expect(textOf(responses[0]?.body ?? bytes(""))).toBe("answer");
    await stream.ended;
    expect(context.signal.aborted).toBe(false);
  });

  it("finds sinks by a function, and answers NOT_FOUND for those that are not there", async () => {
    rig = await SinkRig.start((name) => (name === "echo" ? echo : undefined));
    const client = rig.client();
    const { body } = await callOne(client.requestSink("echo"), { body: bytes("a") }, { timeoutMs: LONG_MS });
    expect(textOf(body)).toBe("a");
    for (const name of ["other", "constructor", "__proto__"]) {
      const failure = callOne(client.requestSink(name), { body: bytes("a") }, { timeoutMs: LONG_MS });
      await expect(failure).rejects.toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining(`"${name}"`) });
    }
  });

  it("encodes and decodes by content type", async () => {
    rig = await SinkRig.start({ echo, numbers });
    const sink = rig.client().requestSink("echo", { codec: jsonCodec<{ readonly a: number }>() });
    const { body, contentType } = await callOne(sink, { body: { a: 1 } }, { timeoutMs: LONG_MS });
    expect([body, contentType]).toEqual([{ a: 1 }, "application/json"]);
    const raw = rig.client().requestSink("numbers", { codec: jsonCodec() });
    await expect(callOne(raw, { body: 1 }, { timeoutMs: LONG_MS })).rejects.toMatchObject({ code: "MALFORMED" });
    const failure = callOne(sink as never, { body: 1n }, { timeoutMs: LONG_MS });
    await expect(failure).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("streams in order, ends without a response, and ends with an error behind the responses", async () => {
    const fails = sinkOf(async function* () {
      yield { body: bytes("1") };
      yield { body: bytes("2") };
      throw new MessagingError("PERMISSION_DENIED", "not for you");
    });
    const throws = sinkOf(() => {
      throw new Error("broken");
    });
    rig = await SinkRig.start({ numbers, fails, throws });
    const client = rig.client();
    const start = (name: string, body = "") =>
      read(call(client.requestSink(name), { body: bytes(body) }, { timeoutMs: LONG_MS }));
    const { texts, error } = await start("numbers", "2000 4");
    expect(error).toBeUndefined();
    expect(texts.map((text) => Number.parseInt(text, 10))).toEqual(Array.from({ length: 2_000 }, (_, index) => index));
    expect(await start("numbers", "0 1")).toEqual({ texts: [], error: undefined });
    expect(await start("fails")).toMatchObject({
      texts: ["1", "2"],
      error: { code: "PERMISSION_DENIED", message: "not for you" },
    });
    expect(await start("throws")).toMatchObject({ texts: [], error: { code: "REMOTE", message: "broken" } });
  });

  it("reads what came before an error first, also when the reader is slow", async () => {
    const fails = sinkOf(async function* () {
      for (let index = 0; index < 300; index += 1) yield { body: new Uint8Array(10_000) };
      throw new MessagingError("REJECTED", "enough", { retryable: false });
    });
    rig = await SinkRig.start({ fails });
    const stream = call(rig.client().requestSink("fails"), { body: bytes("") }, { timeoutMs: LONG_MS });
    await stream.ended.catch(() => undefined);
    const { texts, error } = await read(stream);
    expect(texts.length).toBe(300);
    expect(error).toMatchObject({ code: "REJECTED", retryable: false });
  });

  it("takes one-way requests, and sends no response to them", async () => {
    const recorder = new Recorder();
    rig = await SinkRig.start({ recorder });
    const done = callOneWay(rig.client().requestSink("recorder"), { body: bytes("a") }, { timeoutMs: LONG_MS });
    const { context } = await recorder.next();
    expect(context.window).toBe(0);
    expect(await context.respond({ body: bytes("unwanted") })).toBe(false);
    context.end();
    await done;
  });

  it("carries 64 MiB both ways, and refuses more with TOO_LARGE before it is sent whole", {
    timeout: 60_000,
  }, async () => {
    rig = await SinkRig.start({ echo });
    const client = rig.client();
    const body = Buffer.alloc(64 * 1_048_576);
    for (let at = 0; at < body.length; at += 4_096) body.writeUInt32LE(at, at);
    const response = await callOne(client.requestSink("echo"), { body }, { timeoutMs: LONG_MS });
    expect(Buffer.compare(Buffer.from(response.body), body)).toBe(0);
    const tooLarge = callOne(
      client.requestSink("echo"),
      { body: Buffer.alloc(body.length + 1) },
      { timeoutMs: LONG_MS },
    );
    await expect(tooLarge).rejects.toMatchObject({ code: "TOO_LARGE", message: /at most 67108864/ });
    const small = client.requestSink("echo", { codec: undefined, maxResponseBytes: 1_000 } as never);
    await expect(callOne(small, { body: Buffer.alloc(1_001) }, { timeoutMs: LONG_MS })).rejects.toMatchObject({
      code: "TOO_LARGE",
    });
    expect((await callOne(client.requestSink("echo"), { body: bytes("") }, { timeoutMs: LONG_MS })).body.length).toBe(
      0,
    );
  });

  it("aborts the sink when the caller does, with the caller's reason", async () => {
    const recorder = new Recorder();
    rig = await SinkRig.start({ recorder });
    const stream = call(
      rig.client().requestSink("recorder"),
      { body: bytes("a"), callId: "c" },
      { timeoutMs: LONG_MS },
    );
    const { context } = await recorder.next();
    expect(await context.respond({ body: bytes("1") })).toBe(true);
    stream.abort();
    await until(() => context.signal.aborted);
    expect(context.signal.reason).toMatchObject({ code: "ABORTED", message: /aborted by its caller/ });
    expect(recorder.aborts).toEqual(["c"]);
    expect(await context.respond({ body: bytes("2") })).toBe(false);
    expect(context.keepAlive(1_000)).toBe(false);
    context.end();
    await expect(stream.ended).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("gives up an upload that is under way, and its room at the server", async () => {
    const recorder = new Recorder();
    rig = await SinkRig.start({ recorder, echo }, { maxUploadBytes: 16 * 1_048_576 });
    const client = rig.client();
    const body = Buffer.alloc(16 * 1_048_576);
    for (let round = 0; round < 3; round += 1) {
      const stream = call(client.requestSink("recorder"), { body }, { timeoutMs: LONG_MS });
      setTimeout(() => stream.abort(), 5);
      await expect(stream.ended).rejects.toMatchObject({ code: "ABORTED" });
    }
    // The last abort may still be on its way.
    const deadline = Date.now() + 20_000;
    for (;;) {
      const { error } = await read(call(client.requestSink("echo"), { body }, { timeoutMs: LONG_MS }));
      if (error === undefined) break;
      expect(error.code).toBe("REJECTED");
      expect(Date.now()).toBeLessThan(deadline);
    }
    for (const { context } of recorder.calls) expect(context.signal.aborted).toBe(true);
  });

  it("aborts by callId, and leaves other calls alone", async () => {
    const recorder = new Recorder();
    rig = await SinkRig.start({ recorder });
    const sink = rig.client().requestSink("recorder");
    const one = call(sink, { body: bytes("a"), callId: "one" }, { timeoutMs: LONG_MS });
    const two = call(sink, { body: bytes("a"), callId: "two" }, { timeoutMs: LONG_MS });
    await recorder.next(1);
    sink.abort("nobody");
    sink.abort("one");
    await expect(one.ended).rejects.toMatchObject({ code: "ABORTED" });
    const second = recorder.calls.find(({ request }) => request.callId === "two");
    expect(second?.context.signal.aborted).toBe(false);
    second?.context.end();
    await two.ended;
    await until(() => recorder.aborts.length === 1);
    expect(recorder.aborts).toEqual(["one"]);
  });

  it("tells the sink when the time is over, and the caller TIMEOUT", async () => {
    const recorder = new Recorder();
    rig = await SinkRig.start({ recorder });
    const stream = call(rig.client().requestSink("recorder"), { body: bytes("a") }, { timeoutMs: 4_000 });
    const { context } = await recorder.next();
    await expect(stream.ended).rejects.toMatchObject({ code: "TIMEOUT" });
    await until(() => context.signal.aborted);
    expect(context.signal.reason).toMatchObject({ code: "TIMEOUT" });
  });

  it("is kept alive by the sink, at both ends, and never shortened", async () => {
    const recorder = new Recorder();
    rig = await SinkRig.start({ recorder });
    const stream = call(rig.client().requestSink("recorder"), { body: bytes("a") }, { timeoutMs: 4_000 });
    const { context } = await recorder.next();
    expect(context.keepAlive(30_000)).toBe(true);
    const { deadline } = context;
    expect(deadline).toBeGreaterThan(Date.now() + 25_000);
    expect(context.keepAlive(1)).toBe(true);
    expect(context.deadline).toBe(deadline);
    // Longer than the first time-out.
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    expect(context.signal.aborted).toBe(false);
    context.end();
    await stream.ended;
  });

  it("keeps nothing alive where the caller does not allow it", async () => {
    const recorder = new Recorder();
    rig = await SinkRig.start({ recorder });
    const options = { timeoutMs: 4_000, allowKeepAlive: false };
    const stream = call(rig.client().requestSink("recorder"), { body: bytes("a") }, options);
    const { context } = await recorder.next();
    expect(context.keepAlive(30_000)).toBe(true);
    await expect(stream.ended).rejects.toMatchObject({ code: "TIMEOUT" });
  });

  it("refuses a second live call of the same callId on one client, and takes it again afterwards", async () => {
    const recorder = new Recorder();
    rig = await SinkRig.start({ recorder });
    const client = rig.client();
    const sink = client.requestSink("recorder");
    const first = call(sink, { body: bytes("a"), callId: "same" }, { timeoutMs: LONG_MS });
    await recorder.next();
    const second = call(sink, { body: bytes("b"), callId: "same" }, { timeoutMs: LONG_MS });
    await expect(second.ended).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    // Of another client: the sink sees another name, and neither disturbs the other.
    const other = call(
      rig.client().requestSink("recorder"),
      { body: bytes("c"), callId: "same" },
      { timeoutMs: LONG_MS },
    );
    const { request, context } = await recorder.next(1);
    expect(request.callId).not.toBe("same");
    other.abort();
    await until(() => context.signal.aborted);
    recorder.calls[0]?.context.end();
    await first.ended;
    const third = call(sink, { body: bytes("d"), callId: "same" }, { timeoutMs: LONG_MS });
    expect((await recorder.next(2)).request.callId).toBe("same");
    recorder.calls[2]?.context.end();
    await third.ended;
  });

  it("fails pending calls with CLOSED when its client closes, and tells their sinks", async () => {
    const recorder = new Recorder();
    rig = await SinkRig.start({ recorder });
    const client = rig.client();
    const sink = client.requestSink("recorder");
    const stream = call(sink, { body: bytes("a") }, { timeoutMs: LONG_MS });
    const { context } = await recorder.next();
    await Promise.all([client.close(), client.close()]);
    await expect(stream.ended).rejects.toMatchObject({ code: "CLOSED" });
    await until(() => context.signal.aborted);
    await expect(callOne(sink, { body: bytes("b") }, { timeoutMs: LONG_MS })).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("ends a call whose response cannot be sent, and goes on", async () => {
    const recorder = new Recorder();
    rig = await SinkRig.start({ recorder, echo });
    const client = rig.client();
    for (const response of [
      { body: "text" },
      { body: bytes(""), headers: { a: 1 } },
      { body: bytes(""), contentType: "\ud800" },
    ]) {
      const stream = call(client.requestSink("recorder"), { body: bytes("a") }, { timeoutMs: LONG_MS });
      const { context } = await recorder.next(recorder.calls.length);
      expect(await context.respond(response as never)).toBe(false);
      await expect(stream.ended).rejects.toMatchObject({ code: "REMOTE", message: /cannot be sent/ });
    }
    await callOne(client.requestSink("echo"), { body: bytes("a") }, { timeoutMs: LONG_MS });
  });
});
