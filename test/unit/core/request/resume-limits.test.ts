import { expect, onTestFinished, test } from "vitest";
import { memoryDriver } from "../../../../adapters/memory/index.js";
import { Stopwatch } from "../../../../src/contract/stopwatch.js";
import { call } from "../../../../src/core/request/calls.js";
import { controlName } from "../../../../src/core/request/control-sender.js";
import { SentResponses } from "../../../../src/core/request/sent-responses.js";
import type { Address, DriverConnection, WireMessage } from "../../../../src/driver/index.js";
import { FRAME, FRAME_HEADER } from "../../../../src/driver/request-frames.js";
import type { RequestContext } from "../../../../src/ports/request-sink.js";
import { deferred } from "../../../../src/util/deferred.js";
import { codeOf, next, nothingLeft, rest, started, until, type World, world } from "./resume-rig.js";

/** A link of no Messaging, to send frames on. */
async function bareLink({ broker }: World): Promise<DriverConnection> {
  const ignore = (): void => {};
  const link = await memoryDriver({ broker }).connect({
    signal: new AbortController().signal,
    ...{ onLost: ignore, onBlocked: ignore, onReturned: ignore, onRenewed: ignore },
  });
  onTestFinished(() => link.close());
  return link;
}

function toServer({ server }: World): Address {
  return { kind: "broadcast", name: controlName("work"), node: server.messaging.nodeId };
}

function framesOf(frames: readonly WireMessage[], type: string): WireMessage[] {
  return frames.filter((frame) => frame.type === type);
}

/** Called, answered once, and that was read. */
async function answered(rig: World) {
  const one = await started(rig);
  void one.context.respond({ body: "one" });
  expect(await next(one.stream, 1)).toEqual(["one"]);
  return one;
}

test("a Resume that comes once more, when what it asked for has come and is not kept, harms nothing", async () => {
  const rig = await world({ maxRetainedBytes: 1_000 });
  const { stream, context } = await answered(rig);
  await rig.client.loseInboxes();
  await until(() => rig.client.received.some(({ headers }) => headers[FRAME_HEADER.resume] === "1"));
  const [resume] = framesOf(rig.client.published, FRAME.resume);
  if (resume === undefined) throw new Error("no Resume");
  const large = "x".repeat(2_000);
  void context.respond({ body: large });
  await until(() => framesOf(rig.client.received, FRAME.response).length === 2);
  const answers = framesOf(rig.client.received, FRAME.keepAlive).length;
  await (await bareLink(rig)).publish(toServer(rig), resume);
  await until(() => framesOf(rig.client.received, FRAME.keepAlive).length > answers);
  void context.respond({ body: "three" });
  context.end();
  expect(await rest(stream)).toEqual([large, "three"]);
  await nothingLeft(rig);
});

test("a Resume that has received what was not sent to its end is refused, and the budget stays right", async () => {
  const rig = await world({ fragmentBytes: 1_000 });
  const { stream, context } = await answered(rig);
  const room = deferred<void>();
  rig.server.room = room.promise;
  void context.respond({ body: "x".repeat(200_000) });
  const link = await bareLink(rig);
  const own: WireMessage[] = [];
  const inbox = await link.openInbox(
    (frame) => own.push(frame),
    () => {},
  );
  const [signal] = framesOf(rig.client.published, FRAME.signal);
  if (signal === undefined) throw new Error("no request");
  const headers = {
    [FRAME_HEADER.client]: signal.headers[FRAME_HEADER.client] ?? "",
    ...{ [FRAME_HEADER.resume]: "9", [FRAME_HEADER.inbox]: inbox.address, [FRAME_HEADER.received]: "2" },
  };
  await link.publish(toServer(rig), { ...signal, type: FRAME.resume, replyTo: undefined, headers });
  // Nothing tells of it: there is no room for the refusal, and none is queued.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(own).toEqual([]);
  rig.server.room = Promise.resolve();
  room.resolve();
  context.end();
  expect((await rest(stream)).map(({ length }) => length)).toEqual([200_000]);
  await nothingLeft(rig);
});

test("whoever answers a Resume says again how often it names its calls", async () => {
  const rig = await world({ keepAliveMs: 20_000 });
  let lost = 0;
  rig.client.loses = ({ type }, to) => to === "inbox" && type === FRAME.response && ++lost === 1;
  const { stream, context } = await started(rig);
  for (const body of ["one", "two"]) void context.respond({ body });
  context.end();
  expect(await rest(stream)).toEqual(["one", "two"]);
  const [answer] = framesOf(rig.client.received, FRAME.keepAlive);
  expect(answer?.headers).toMatchObject({ [FRAME_HEADER.resume]: "1", [FRAME_HEADER.aliveMs]: "20000" });
});

test("a close waits for what is being sent again, and no longer than it was told to", async () => {
  for (const isEnough of [true, false]) {
    const rig = await world();
    const { stream, context } = await answered(rig);
    rig.client.loses = ({ type }, to) => to === "inbox" || type === FRAME.resume;
    for (let index = 0; index < 150; index += 1) void context.respond({ body: `${index}` });
    await until(() => framesOf(rig.client.received, FRAME.response).length === 151);
    // The link is slow when it is asked for all of it again.
    const room = deferred<void>();
    rig.server.room = room.promise;
    rig.client.loses = () => false;
    await rig.client.loseInboxes();
    context.end();
    await until(() => rig.server.tables().held === 1);
    const watch = new Stopwatch();
    const closing = rig.server.messaging.close({ drainMs: isEnough ? 10_000 : 100 });
    if (isEnough) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      rig.server.room = Promise.resolve();
      room.resolve();
      expect(await rest(stream)).toHaveLength(150);
    } else stream.abort();
    await closing;
    expect(watch.undisturbedMs).toBeLessThan(4_000);
    room.resolve();
  }
});

test("a server that comes back many intervals after its caller answers its calls still", async () => {
  const rig = await world();
  const { stream, context } = await answered(rig);
  await until(() => framesOf(rig.client.received, FRAME.alive).length > 0);
  rig.server.isReachable = false;
  rig.server.loseConnections();
  await rig.client.loseInboxes();
  await until(() => framesOf(rig.client.published, FRAME.resume).length > 12);
  rig.server.isReachable = true;
  void context.respond({ body: "two" });
  context.end();
  expect(await rest(stream)).toEqual(["two"]);
});

test("of two servers of a sink in one node, an Alive of one that comes back does not end the calls of the other", async () => {
  const rig = await world({ keepAliveMs: 1_000, concurrency: { standard: 1 } });
  await rig.serve({ keepAliveMs: 40 });
  const calls = [await started(rig), await started(rig)];
  const alives = (): string =>
    framesOf(rig.client.received, FRAME.alive)
      .map(({ body }) => new TextDecoder().decode(body))
      .join();
  await until(() => alives().includes('"intervalMs":1000') && alives().includes('"intervalMs":40'));
  rig.client.isReachable = false;
  rig.client.loseConnections();
  await until(() => rig.server.tables().cut === 2);
  expect(calls.map(({ context }) => context.signal.aborted)).toEqual([false, false]);
  rig.client.isReachable = true;
  for (const { context, stream } of calls) {
    context.end();
    expect(await codeOf(stream.ended)).toBe("ok");
  }
});

test("a request that came twice while both waited for room runs once", async () => {
  const rig = await world({ concurrency: { standard: 1 } });
  const first = await started(rig);
  const link = await bareLink(rig);
  let to: Address | undefined;
  rig.client.loses = (frame, address) => {
    if (frame.type === FRAME.signal && address !== "inbox") to = address;
    // The end is kept for so long.
    return frame.headers[FRAME_HEADER.closing] === "true";
  };
  const stream = call(rig.sink, { body: "request" }, { timeoutMs: 20_000, idempotent: true });
  await until(() => to !== undefined);
  const signal = framesOf(rig.client.published, FRAME.signal)[1];
  if (to === undefined || signal === undefined) throw new Error("no request");
  await link.publish(to, signal);
  first.context.end();
  await until(() => rig.contexts.length === 2);
  const second: RequestContext<string> | undefined = rig.contexts[1];
  void second?.respond({ body: "one" });
  second?.end();
  expect(await rest(stream)).toEqual(["one"]);
  const third = await started(rig);
  expect(rig.contexts.length).toBe(3);
  third.context.end();
  await third.stream.ended;
});

test("headers are counted as kept, and what will not be sent is not kept", () => {
  let bytes = 0;
  const sent = new SentResponses(10, 1_000, {
    count: (more) => {
      bytes += more;
    },
  });
  const contentType = "text/plain";
  sent.push({ bytes: new Uint8Array(10), contentType, headers: { name: "value" } });
  sent.sentWhole(1);
  expect(bytes).toBe(19);
  sent.push({ bytes: new Uint8Array(990), contentType, headers: undefined });
  expect(sent.allows(2)).toBe(false);
  sent.dropAfter(1);
  expect([sent.at(1)?.bytes.byteLength, sent.at(2), sent.allows(2), bytes]).toEqual([10, undefined, true, 19]);
  sent.grant(1, 11);
  expect(bytes).toBe(0);
});
