import { expect, test } from "vitest";
import { call, callOne, callOneWay } from "../../../../src/core/request/calls.js";
import { sinkOf } from "../../../../src/core/request/sink-of.js";
import { MessagingError } from "../../../../src/errors/messaging-error.js";
import type { CallOptions, RequestContext, RequestSink } from "../../../../src/ports/request-sink.js";
import { bodiesOf, expectCode, startCall } from "./call-rig.js";

const options = { timeoutMs: 5_000 };

/** A sink whose context is handed out. */
function openSink(work: (context: RequestContext<string>) => void = () => {}): RequestSink<string, string> {
  return { signal: (_, context) => work(context), abort() {} };
}

test("options that make no sense are refused, all faults at once, before the sink hears anything", () => {
  let signals = 0;
  const sink = openSink(() => {
    signals += 1;
  });
  const bad = { timeoutMs: -1, window: 0, priority: "urgent", retries: 3 } as unknown as CallOptions;
  expect(() => call(sink, { body: "x" }, bad)).toThrow(/retries.*timeoutMs.*window.*priority/s);
  for (const more of [{ timeoutMs: Number.NaN }, { windowBytes: 0 }, { stallMs: -1 }, { signal: {} }]) {
    expect(() => call(sink, { body: "x" }, { ...options, ...more } as CallOptions)).toThrow(MessagingError);
  }
  expect(() => call(sink, { body: "x" }, undefined as unknown as CallOptions)).toThrow(/timeoutMs/);
  expect(() => call(sink, { body: "x", headers: { "fairlead-node": "x" } }, options)).toThrow(/reserved/);
  expect(() => call(sink, { body: "x", callId: "" }, options)).toThrow(/callId/);
  expect(signals).toBe(0);
});

test("a request has a callId of its own unless it is given one, and the defaults", () => {
  const one = startCall();
  const two = startCall();
  expect(one.request.callId).not.toBe(two.request.callId);
  expect(one.stream.callId).toBe(one.request.callId);
  expect(startCall({}, { callId: "mine" }).request.callId).toBe("mine");
  expect(one.request).toMatchObject({ priority: "standard", idempotent: false });
  expect(one.context).toMatchObject({ window: 512, windowBytes: 8_388_608, allowKeepAlive: true });
});

test("a signal that has aborted fails the call before the sink hears of it", async () => {
  let signals = 0;
  const sink = openSink(() => {
    signals += 1;
  });
  const stream = call(sink, { body: "x" }, { ...options, signal: AbortSignal.abort(new Error("enough")) });
  await expectCode(bodiesOf(stream), "ABORTED");
  expect(signals).toBe(0);
});

test("a long-lived signal gathers no listeners, however many calls it is given to", async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const counted = new Proxy(signal, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name === "addEventListener" || name === "removeEventListener") {
        return (...parameters: Parameters<AbortSignal["addEventListener"]>) => {
          listeners += name === "addEventListener" ? 1 : -1;
          return target[name](...parameters);
        };
      }
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  for (let round = 0; round < 20; round += 1) {
    await call(
      openSink((context) => context.end()),
      { body: "x" },
      { ...options, signal: counted },
    ).ended;
  }
  await new Promise((resolve) => setImmediate(resolve));
  expect(listeners).toBeLessThanOrEqual(1);
});

test("callOne: one response, none, two, an error", async () => {
  const answers = (...bodies: string[]) =>
    sinkOf<string, string>(async function* () {
      for (const body of bodies) yield { body };
    });
  expect((await callOne(answers("only"), { body: "x" }, options)).body).toBe("only");
  await expectCode(callOne(answers(), { body: "x" }, options), "DATA_LOSS");
  let signal: AbortSignal | undefined;
  const two = openSink((context) => {
    signal = context.signal;
    void context.respond({ body: "one" });
    void context.respond({ body: "two" });
  });
  await expectCode(callOne(two, { body: "x" }, options), "REMOTE");
  expect(signal?.aborted).toBe(true);
  const failing = openSink((context) => context.fail(new MessagingError("NOT_FOUND", "no")));
  await expectCode(callOne(failing, { body: "x" }, options), "NOT_FOUND");
});

test("callOneWay: the window is 0, respond is false, and it resolves when the sink has taken the request", async () => {
  const seen: unknown[] = [];
  const sink = openSink((context) => {
    seen.push(context.window, context.respond({ body: "unwanted" }));
    context.end();
  });
  await callOneWay(sink, { body: "x" }, options);
  expect(seen[0]).toBe(0);
  await expect(seen[1]).resolves.toBe(false);
  const refusing = openSink((context) => context.fail(new MessagingError("UNAVAILABLE", "no")));
  await expectCode(callOneWay(refusing, { body: "x" }, options), "UNAVAILABLE");
});
