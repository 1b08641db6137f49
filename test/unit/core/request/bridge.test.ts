import { expect, onTestFinished, test } from "vitest";
import { memoryBroker, memoryDriver } from "../../../../adapters/memory/index.js";
import { call, createMessaging, type Messaging, type RequestContext, type RequestSink } from "../../../../src/index.js";
import { codeOf, until } from "./resume-rig.js";

const BODY = Buffer.from("body");
const OPTIONS = { timeoutMs: 60_000 };

/** A service that the test is, what serves it as a bridge, and a caller of that. */
async function bridged(through: (sink: RequestSink) => RequestSink = (sink) => sink) {
  const broker = memoryBroker();
  const node = (): Messaging => {
    const messaging = createMessaging({ driver: memoryDriver({ broker }) });
    onTestFinished(() => messaging.close({ drainMs: 0 }));
    return messaging;
  };
  const [caller, bridge, service] = [node(), node(), node()];
  const contexts: RequestContext[] = [];
  await service.serve("work", { signal: (_, context) => void contexts.push(context), abort() {} });
  const behind = bridge.requestSink("work");
  await bridge.serve("bridge", through(behind));
  const start = async (sink: RequestSink) => {
    const before = contexts.length;
    const stream = call(sink, { body: BODY, callId: "same" }, OPTIONS);
    const ended = codeOf(stream.ended);
    await until(() => contexts.length > before);
    return { stream, ended, context: contexts[before] as RequestContext };
  };
  return { behind, remote: caller.requestSink("bridge"), start };
}

test("the abort of a call that was passed on reaches that call, and no other of its callId", async () => {
  const { behind, remote, start } = await bridged();
  const own = await start(behind);
  const passedOn = await start(remote);
  passedOn.stream.abort();
  await until(() => passedOn.context.signal.aborted);
  expect(await passedOn.ended).toBe("ABORTED");
  expect(own.context.signal.aborted).toBe(false);
  own.context.end();
  expect(await own.ended).toBe("ok");
});

test("a sink that passes its calls on, and has an abort of its own, is told", async () => {
  const told: string[] = [];
  const { remote, start } = await bridged((sink) => ({
    signal: (request, context) => sink.signal(request, context),
    abort: (callId) => void told.push(callId),
  }));
  const { stream, context } = await start(remote);
  stream.abort();
  await until(() => context.signal.aborted && told.length > 0);
  expect(told).toEqual(["same"]);
});
