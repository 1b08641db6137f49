import { expect, onTestFinished, test } from "vitest";
import { memoryBroker, memoryDriver } from "../../../../adapters/memory/index.js";
import {
  createMessaging,
  MessagingError,
  type Observation,
  type RequestContext,
  type RequestSink,
} from "../../../../src/index.js";
import { until } from "./resume-rig.js";

const BODY = Buffer.from("body");

/** A caller's end that cannot be told anything, and takes each response a moment later. */
function throwingContext(told: string[]): RequestContext {
  const tell = (what: string): never => {
    told.push(what);
    throw new Error(`${what} has thrown`);
  };
  return {
    callId: "own",
    deadline: Date.now() + 60_000,
    signal: new AbortController().signal,
    window: 4,
    windowBytes: 1_000,
    allowKeepAlive: true,
    keepAlive: () => true,
    respond: () => new Promise((resolve) => setImmediate(resolve, true)),
    end: () => tell("end"),
    fail: () => tell("fail"),
  };
}

const answering = (finish: (context: RequestContext) => void): RequestSink => ({
  signal(_, context) {
    void context.respond({ body: BODY });
    void context.respond({ body: BODY });
    finish(context);
  },
  abort() {},
});

const SINKS: Readonly<Record<string, RequestSink>> = {
  end: answering((context) => context.end()),
  fail: answering((context) => context.fail(new MessagingError("REJECTED", "enough"))),
};

for (const protocolVersion of ["V4", "V5"] as const) {
  for (const [how, sink] of Object.entries(SINKS)) {
    test(`a caller's context that throws in ${how} harms nobody, and is observed: ${protocolVersion}`, async () => {
      const broker = memoryBroker();
      const seen: Observation[] = [];
      const server = createMessaging({ driver: memoryDriver({ broker }) });
      const client = createMessaging({ driver: memoryDriver({ broker }), observers: [(item) => void seen.push(item)] });
      onTestFinished(() => Promise.all([client.close({ drainMs: 0 }), server.close({ drainMs: 0 })]).then(() => {}));
      await server.serve("work", sink, { protocolVersion });
      const told: string[] = [];
      const request = { callId: "own", body: BODY, timestamp: Date.now() };
      client.requestSink("work").signal(request, throwingContext(told));
      await until(() => told.length > 0);
      // A rejection that nobody handles is told when this turn is over.
      await new Promise((resolve) => setImmediate(resolve));
      expect(told).toEqual([how]);
      const failed = seen.filter(({ type }) => type === "handler-failed");
      expect(failed).toMatchObject([{ source: "work", messageId: "own", error: { message: `${how} has thrown` } }]);
    });
  }
}
