import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import {
  call,
  createCalls,
  MessagingError,
  type RequestSink,
  sinkOf,
  systemClock,
  systemRandom,
} from "../../../src/index.js";
import { collectGarbage } from "../../support/collect-garbage.js";
import { until } from "./rig.js";
import { bytes, LONG_MS, Recorder, read, SinkRig, textOf } from "./sink-rig.js";
import { CALL, readFrame, request } from "./sink-wire.js";
import { WireClient } from "./wire-client.js";

/** Endless, and counts what it was allowed to send. */
class Fountain {
  sent = 0;
  readonly sink: RequestSink;

  constructor(size: number, count = Number.POSITIVE_INFINITY) {
    const fountain = this;
    this.sink = sinkOf(async function* () {
      for (let index = 0; index < count; index += 1) {
        fountain.sent += 1;
        const body = Buffer.alloc(size);
        body.write(String(index));
        yield { body };
      }
    });
  }

  /** Gets so far, and then does not move for a while. */
  async stopsAt(count: number): Promise<void> {
    await until(() => this.sent >= count, `${count} sent; now ${this.sent}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(this.sent).toBe(count);
  }
}

describe("the window", () => {
  let rig: SinkRig;
  afterEach(() => rig.close());

  it("lets a sink send no further than what the reader takes, and goes on with each that is taken", async () => {
    const fountain = new Fountain(10);
    rig = await SinkRig.start({ fountain: fountain.sink });
    const options = { timeoutMs: LONG_MS, window: 8 };
    const stream = call(rig.client().requestSink("fountain"), { body: bytes("") }, options);
    await fountain.stopsAt(8);
    const reader = stream[Symbol.asyncIterator]();
    for (let taken = 1; taken <= 100; taken += 1) {
      await reader.next();
      if (taken % 25 === 0) await fountain.stopsAt(8 + taken);
    }
    await reader.return?.();
  });

  it.each([1, 2, 8])("goes on for a sink that answers by itself before it passes the call on: %s", async (window) => {
    const fountain = new Fountain(10);
    rig = await SinkRig.start({ fountain: fountain.sink });
    const behind = rig.client().requestSink("fountain");
    const composed: RequestSink = {
      signal(request, context) {
        void context.respond({ body: bytes("first") });
        behind.signal(request, context);
      },
      abort() {},
    };
    const stream = call(composed, { body: bytes("") }, { timeoutMs: LONG_MS, window });
    const reader = stream[Symbol.asyncIterator]();
    const first = await reader.next();
    expect(textOf((first.value as { body: Uint8Array }).body)).toBe("first");
    for (let index = 0; index < 100; index += 1) {
      const { value } = await reader.next();
      expect(Number.parseInt(textOf((value as { body: Uint8Array }).body), 10)).toBe(index);
      // Nobody gives credit for what was answered here, beyond the one that went ahead.
      expect(fountain.sent).toBeLessThanOrEqual(index + 2 + window);
    }
    await reader.return?.();
  });

  it("counts bytes too, but always lets one response through", async () => {
    const fountain = new Fountain(1_000);
    rig = await SinkRig.start({ fountain: fountain.sink });
    const start = (windowBytes: number) =>
      call(rig.client().requestSink("fountain"), { body: bytes("") }, { timeoutMs: LONG_MS, windowBytes });
    const one = start(3_500);
    await fountain.stopsAt(4);
    one.abort();
    const two = start(1);
    await fountain.stopsAt(5);
    const reader = two[Symbol.asyncIterator]();
    await reader.next();
    await reader.next();
    await fountain.stopsAt(7);
    await reader.return?.();
  });

  it("streams 10,000 responses to a slow reader: never more than a window on the way, and in flat memory", {
    timeout: 60_000,
  }, async () => {
    const window = 64;
    const fountain = new Fountain(10_000, 10_000);
    rig = await SinkRig.start({ fountain: fountain.sink });
    const stream = call(rig.client().requestSink("fountain"), { body: bytes("") }, { timeoutMs: LONG_MS, window });
    let taken = 0;
    let most = 0;
    let peak = 0;
    let base = 0;
    for await (const { body } of stream) {
      expect(Number.parseInt(textOf(body.subarray(0, 5)), 10)).toBe(taken);
      taken += 1;
      most = Math.max(most, fountain.sent - taken);
      if (taken % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      if (taken % 1_000 === 0) {
        collectGarbage();
        const { heapUsed, external } = process.memoryUsage();
        if (base === 0) base = heapUsed + external;
        peak = Math.max(peak, heapUsed + external - base);
      }
    }
    expect(taken).toBe(10_000);
    expect(most).toBeLessThanOrEqual(window + 1);
    // 90 MB went through since; what was collected is given back a little later.
    expect(peak).toBeLessThan(45_000_000);
  });

  it("holds back what was handed over before the end, until there is credit for it", async () => {
    const recorder = new Recorder();
    rig = await SinkRig.start({ recorder });
    const sink = rig.client().requestSink("recorder");
    const start = () => call(sink, { body: bytes("") }, { timeoutMs: LONG_MS, window: 2 });
    const well = start();
    const { context } = await recorder.next();
    for (const text of ["1", "2", "3", "4"]) void context.respond({ body: bytes(text) });
    context.end();
    expect(context.keepAlive(1)).toBe(false);
    expect(await read(well)).toEqual({ texts: ["1", "2", "3", "4"], error: undefined });
    expect(context.signal.aborted).toBe(false);

    const failed = start();
    const second = await recorder.next(1);
    for (const text of ["1", "2", "3"]) void second.context.respond({ body: bytes(text) });
    // A part that is closed here is, to a client, a server that it cannot use.
    second.context.fail(new MessagingError("CLOSED", "closed here"));
    expect(await read(failed)).toMatchObject({
      texts: ["1", "2", "3"],
      error: { code: "UNAVAILABLE", message: "closed here" },
    });
  });

  it("refuses responses that are not awaited beyond a second window, and the call fails behind the others", async () => {
    const recorder = new Recorder();
    rig = await SinkRig.start({ recorder });
    const options = { timeoutMs: LONG_MS, window: 2 };
    const stream = call(rig.client().requestSink("recorder"), { body: bytes("") }, options);
    const { context } = await recorder.next();
    const waits = ["1", "2", "3", "4", "5"].map((text) => context.respond({ body: bytes(text) }));
    await expect(waits[4]).rejects.toMatchObject({ code: "REJECTED" });
    expect(await context.respond({ body: bytes("6") })).toBe(false);
    expect(await read(stream)).toMatchObject({ texts: ["1", "2", "3", "4"], error: { code: "REJECTED" } });
  });

  it("is passed on through a second gateway, with its credit: three hops, one window", async () => {
    const fountain = new Fountain(10, 500);
    const inner = await SinkRig.start({ fountain: fountain.sink });
    const middle = await SinkRig.start((name) => inner.client().requestSink(name));
    rig = await SinkRig.start((name) => middle.client().requestSink(name));
    try {
      const options = { timeoutMs: LONG_MS, window: 10 };
      const stream = call(rig.client().requestSink("fountain"), { body: bytes("") }, options);
      await fountain.stopsAt(10);
      const reader = stream[Symbol.asyncIterator]();
      for (let taken = 1; taken <= 7; taken += 1) {
        await reader.next();
        // Its own deadline shows that no credit is lost on the way.
        await until(() => fountain.sent === 10 + taken);
      }
      const { texts, error } = await read(stream);
      expect(error).toBeUndefined();
      expect(texts.length).toBe(493);
    } finally {
      await rig.close();
      await middle.close();
      await inner.close();
    }
  });

  it("tells the sink what the application has taken, not what has arrived", async () => {
    const recorder = new Recorder();
    rig = await SinkRig.start({ recorder });
    const stream = call(rig.client().requestSink("recorder"), { body: bytes("") }, { timeoutMs: LONG_MS });
    const { context } = await recorder.next();
    let taken = 0;
    context.onTaken?.((count) => {
      taken = count;
    });
    for (let index = 0; index < 10; index += 1) await context.respond({ body: bytes("r") });
    const reader = stream[Symbol.asyncIterator]();
    await reader.next();
    await reader.next();
    await until(() => taken === 2);
    stream.abort();
  });

  it("counts a response as taken when respond resolves, for a caller's end that says nothing of it", async () => {
    const fountain = new Fountain(10, 100);
    rig = await SinkRig.start({ fountain: fountain.sink });
    const sink = rig.client().requestSink("fountain");
    const let1: (() => void)[] = [];
    let ended = 0;
    const abort = new AbortController();
    sink.signal(
      { callId: "c", body: bytes(""), timestamp: Date.now() },
      {
        callId: "c",
        deadline: Date.now() + LONG_MS,
        signal: abort.signal,
        window: 4,
        windowBytes: 1_000_000,
        allowKeepAlive: true,
        keepAlive: () => true,
        respond: () => new Promise((resolve) => let1.push(() => resolve(true))),
        end: () => {
          ended += 1;
        },
        fail: (error) => {
          throw error;
        },
      },
    );
    await fountain.stopsAt(4);
    let1[0]?.();
    let1[1]?.();
    await until(() => fountain.sent === 6);
    for (let index = 2; index < 100; index += 1) {
      await until(() => let1.length > index);
      let1[index]?.();
    }
    await until(() => ended === 1);
  });

  it("tells one keep-alive for many that find no room, and moves the caller's deadline by it", async () => {
    const recorder = new Recorder();
    rig = await SinkRig.start({ recorder });
    const client = new WireClient(rig.address);
    onTestFinished(() => client.close());
    const stream = client.open(CALL);
    stream.send(request("recorder"));
    const { context } = await recorder.next();
    stream.stream.pause();
    const respond = async (): Promise<void> => {
      while (await context.respond({ body: new Uint8Array(50_000) }));
    };
    const responding = respond();
    const stalled = new Promise((resolve) => setTimeout(resolve, 200));
    await stalled;
    for (let index = 0; index < 100_000; index += 1) context.keepAlive(1_000 + index);
    stream.stream.resume();
    const alive = () => stream.messages.map(readFrame).filter(({ kind }) => kind === "keepAlive");
    await until(() => alive().length > 0);
    context.end();
    await responding;
    expect(await stream.ended).toBe(0);
    expect(alive().length).toBeLessThan(10);
    expect(Number(alive().at(-1)?.fields.get(1))).toBeGreaterThan(90_000);
  });

  it("stands the deadline still while the reader holds it up", async () => {
    const fountain = new Fountain(10, 50);
    rig = await SinkRig.start({ fountain: fountain.sink });
    const { call: start } = createCalls({ clock: systemClock, random: systemRandom });
    const options = { timeoutMs: 3_500, window: 4, allowKeepAlive: false };
    const stream = start(rig.client().requestSink("fountain"), { body: bytes("") }, options);
    await fountain.stopsAt(4);
    // Longer than the time-out.
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    const { texts, error } = await read(stream);
    expect(error).toBeUndefined();
    expect(texts.length).toBe(50);
  });
});
