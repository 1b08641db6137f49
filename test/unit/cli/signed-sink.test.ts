import { expect, it } from "vitest";
import { memoryDriver } from "../../../adapters/memory/index.js";
import { signedSink } from "../../../src/cli/signed-sink.js";
import { call, createMessaging, jsonCodec, type RequestContext, type RequestSink, sinkOf } from "../../../src/index.js";

const HEADERS = { "served-by-node": "tokyo", "served-by-pid": "7" };

it("signs the first response of each call, lets the sink's own headers win, and changes nothing else", async () => {
  const sink = sinkOf<unknown, unknown>(async function* () {
    yield { body: 1, headers: { own: "yes", "served-by-pid": "8" } };
    yield { body: 2, headers: { own: "too" } };
  });
  const stream = call(signedSink(sink, HEADERS), { body: null }, { timeoutMs: 5_000 });
  const responses: unknown[] = [];
  for await (const response of stream) responses.push(response);
  expect(responses).toEqual([
    { body: 1, headers: { own: "yes", "served-by-node": "tokyo", "served-by-pid": "8" } },
    { body: 2, headers: { own: "too" } },
  ]);
});

it("hands on everything that a context tells, so that sinks behind it compose", async () => {
  await using messaging = createMessaging({ driver: memoryDriver() });
  const codec = jsonCodec();
  const seen: unknown[] = [];
  const sink: RequestSink<unknown, unknown> = {
    signal(_request, context) {
      const { callId, window, windowBytes, allowKeepAlive } = context;
      seen.push(callId, window, windowBytes, allowKeepAlive, context.keepAlive(60_000), context.onTaken !== undefined);
      seen.push(context.deadline > Date.now() + 50_000, context.signal.aborted);
      void context.respond({ body: 1 }).then(() => context.end());
    },
    abort() {},
  };
  await messaging.serve("signed", signedSink(sink, HEADERS), { codec });
  const remote = messaging.requestSink("signed", { codec });
  const options = { timeoutMs: 5_000, window: 3, windowBytes: 1_000 };
  for await (const _ of call(remote, { body: null, callId: "mine" }, options));
  expect(seen).toEqual(["mine", 3, 1_000, true, true, true, true, false]);
});

it("has no onTaken where the context has none", () => {
  let isThere: boolean | undefined;
  const sink: RequestSink<unknown, unknown> = {
    signal(_request, context) {
      isThere = context.onTaken !== undefined;
    },
    abort() {},
  };
  signedSink(sink, HEADERS).signal({ callId: "a", body: 1, timestamp: 0 }, {} as RequestContext<unknown>);
  expect(isThere).toBe(false);
});
