import { expect, test } from "vitest";
import { FRAME, FRAME_HEADER } from "../../../../src/driver/request-frames.js";
import { MessagingError } from "../../../../src/errors/messaging-error.js";
import {
  answered,
  codeOf,
  cutOff,
  KEEP_ALIVE_MS,
  next,
  nothingLeft,
  rest,
  started,
  until,
  world,
} from "./resume-rig.js";

test("a call goes on over the loss of its client's inbox, and over that of either link, without gap or repetition", async () => {
  const rig = await world();
  const { stream, context } = await started(rig);
  const all: string[] = [];
  const losses = [
    () => rig.client.loseInboxes(),
    () => rig.client.loseConnections(),
    () => rig.server.loseConnections(),
  ];
  for (const [index, lose] of losses.entries()) {
    expect(await context.respond({ body: `before ${index}` })).toBe(true);
    all.push(...(await next(stream, 1)));
    await lose();
    expect(await context.respond({ body: `amid ${index}` })).toBe(true);
    all.push(...(await next(stream, 1)));
  }
  context.end();
  await stream.ended;
  expect(all).toEqual([0, 1, 2].flatMap((index) => [`before ${index}`, `amid ${index}`]));
  await nothingLeft(rig);
});

test("one frame of each kind that is lost is asked for once, and sent again", async () => {
  const rig = await world({ fragmentBytes: 100 });
  const seen = new Set<string>();
  rig.client.loses = ({ type = "" }, to) => {
    const isFirst = to === "inbox" && !seen.has(type) && type !== FRAME.keepAlive && type !== FRAME.alive;
    if (isFirst) seen.add(type);
    return isFirst;
  };
  const { stream, context } = await started(rig);
  const long = "x".repeat(450);
  for (const body of ["one", long, "three", long]) void context.respond({ body });
  context.end();
  expect(await rest(stream)).toEqual(["one", long, "three", long]);
  expect([...seen].sort()).toEqual([FRAME.end, FRAME.fragment, FRAME.fragmentEnd, FRAME.response].sort());
  await nothingLeft(rig);
});

test("what is lost again after it was asked for ends the call with DATA_LOSS", async () => {
  const rig = await world();
  rig.client.loses = ({ headers }, to) => to === "inbox" && headers[FRAME_HEADER.sequence] === "2";
  const { stream, context } = await started(rig);
  for (const body of ["one", "two", "three"]) void context.respond({ body });
  expect(await next(stream, 1)).toEqual(["one"]);
  expect(await codeOf(stream.ended)).toBe("DATA_LOSS");
  await until(() => context.signal.aborted);
  await nothingLeft(rig);
});

test("a Resume is repeated every half interval until it is answered; nothing else counts meanwhile", async () => {
  const rig = await world();
  const { stream, context } = await answered(rig);
  let lost = 0;
  rig.client.loses = ({ type }) => type === FRAME.resume && ++lost <= 3;
  await rig.client.loseInboxes();
  await until(() => lost > 3);
  await context.respond({ body: "two" });
  expect(await next(stream, 1)).toEqual(["two"]);
  const resumes = rig.client.published.filter(({ type }) => type === FRAME.resume);
  expect(new Set(resumes.map(({ headers }) => headers[FRAME_HEADER.resume]))).toEqual(new Set(["1"]));
  context.end();
  await stream.ended;
  await nothingLeft(rig);
});

test("without an inbox the call waits at both ends: its life is not missed, respond waits, keepAlive holds", async () => {
  const rig = await world();
  const { stream, context } = await answered(rig);
  cutOff(rig);
  void context.respond({ body: "two" });
  await until(() => rig.server.tables().cut === 1);
  let isOpen: boolean | undefined;
  void context.respond({ body: "three" }).then((value) => {
    isOpen = value;
  });
  // Longer than a server may be silent.
  await new Promise((resolve) => setTimeout(resolve, 5 * KEEP_ALIVE_MS));
  expect([isOpen, context.keepAlive(1_000), context.signal.aborted]).toEqual([undefined, true, false]);
  expect(rig.client.tables().resuming).toBe(1);
  rig.client.isReachable = true;
  expect(await next(stream, 2)).toEqual(["two", "three"]);
  await until(() => isOpen === true);
  context.end();
  await stream.ended;
  await nothingLeft(rig);
});

test("nobody comes back within resumeMs: the call is over at its server, and a later Resume gets DATA_LOSS", async () => {
  const rig = await world({ resumeMs: 150 });
  const { stream, context } = await answered(rig);
  cutOff(rig);
  void context.respond({ body: "two" });
  await until(() => context.signal.aborted);
  expect(MessagingError.is(context.signal.reason, "UNAVAILABLE")).toBe(true);
  rig.client.isReachable = true;
  expect(await codeOf(stream.ended)).toBe("DATA_LOSS");
  await nothingLeft(rig);
});

test("an end that its caller has missed is kept for it, with all before it, and a failure as well", async () => {
  const rig = await world();
  for (const error of [undefined, new MessagingError("REJECTED", "not today")]) {
    const { stream, context } = await answered(rig);
    cutOff(rig);
    void context.respond({ body: "two" });
    if (error === undefined) context.end();
    else context.fail(error);
    await until(() => rig.server.tables().running === 0);
    rig.client.isReachable = true;
    expect(await next(stream, 1)).toEqual(["two"]);
    expect(await codeOf(stream.ended)).toBe(error?.code ?? "ok");
  }
  await nothingLeft(rig);
});

test("beyond maxRetainedBytes nothing waits: the largest is dropped, and fails if it has lost something", async () => {
  const rig = await world({ maxRetainedBytes: 1_000 });
  const large = await answered(rig);
  const small = await answered(rig);
  cutOff(rig);
  void small.context.respond({ body: "s".repeat(400) });
  void large.context.respond({ body: "l".repeat(900) });
  small.context.end();
  large.context.end();
  await until(() => rig.server.tables().retained === 2);
  expect(rig.server.tables().retainedBytes).toBeLessThanOrEqual(1_000);
  rig.client.isReachable = true;
  expect(await next(small.stream, 1)).toEqual(["s".repeat(400)]);
  expect(await codeOf(small.stream.ended)).toBe("ok");
  expect(await codeOf(large.stream.ended)).toBe("DATA_LOSS");
  await nothingLeft(rig);
});

test("a slow reader resumes: nothing is delivered twice, and the window holds", async () => {
  const rig = await world();
  const { stream, context } = await started(rig, { window: 4 });
  const sending = (async () => {
    for (let index = 1; index <= 40; index += 1) expect(await context.respond({ body: `${index}` })).toBe(true);
    context.end();
  })();
  const texts: string[] = [];
  for (let index = 1; index <= 40; index += 1) {
    texts.push(...(await next(stream, 1)));
    if (index % 7 === 0) await rig.client.loseInboxes();
    if (index % 11 === 0) rig.server.loseConnections();
  }
  expect(texts).toEqual(Array.from({ length: 40 }, (_, index) => `${index + 1}`));
  await sending;
  await stream.ended;
  await nothingLeft(rig);
});

test("a call that nobody has answered or named fails at once when its inbox is lost, and is aborted at all nodes", async () => {
  const rig = await world({ keepAliveMs: 60_000 });
  const { stream, context } = await started(rig);
  await rig.client.loseInboxes();
  expect(await codeOf(stream.ended)).toBe("UNAVAILABLE");
  await until(() => context.signal.aborted);
  context.end();
  expect(rig.client.published.some(({ type }) => type === FRAME.resume)).toBe(false);
});

test("a call that an Alive has named and nothing else goes on, too", async () => {
  const rig = await world();
  const { stream, context } = await started(rig);
  await until(() => rig.client.received.some(({ type }) => type === FRAME.alive));
  await rig.client.loseInboxes();
  await context.respond({ body: "one" });
  context.end();
  expect(await rest(stream)).toEqual(["one"]);
  await nothingLeft(rig);
});

test("a V4 call fails at once, as ever", async () => {
  const rig = await world({}, { protocolVersion: "V4" });
  const { stream, context } = await answered(rig);
  await rig.client.loseInboxes();
  expect(await codeOf(stream.ended)).toBe("UNAVAILABLE");
  await until(() => context.signal.aborted);
  await nothingLeft(rig);
});

test("an abort, a deadline and a close while a Resume is unanswered end the call at both ends", async () => {
  const rig = await world({ resumeMs: 300 });
  const aborted = await answered(rig);
  // Its response does not move its deadline.
  const late = await answered(rig, { timeoutMs: 3_000, respondExtendsMs: 1 });
  const closed = await answered(rig);
  rig.client.loses = ({ type }) => type === FRAME.resume;
  rig.client.loseInboxes().catch(() => undefined);
  await until(() => rig.client.tables().resuming === 3);
  aborted.stream.abort();
  expect(await codeOf(aborted.stream.ended)).toBe("ABORTED");
  await until(() => aborted.context.signal.aborted);
  expect(await codeOf(late.stream.ended)).toBe("TIMEOUT");
  await rig.client.messaging.close({ drainMs: 0 });
  expect(await codeOf(closed.stream.ended)).toBe("CLOSED");
  await until(() => closed.context.signal.aborted && late.context.signal.aborted);
  await nothingLeft(rig);
});

test("a server that closes while its caller is away leaves no call waiting", async () => {
  const rig = await world();
  const { stream, context } = await answered(rig);
  cutOff(rig);
  await rig.server.messaging.close({ drainMs: 0 });
  expect(context.signal.aborted).toBe(true);
  rig.client.isReachable = true;
  expect(await codeOf(stream.ended)).toBe("UNAVAILABLE");
  await nothingLeft(rig);
});

test("two servers of a sink in one node: only the one that knows the call answers its Resume", async () => {
  const rig = await world();
  await rig.serve();
  const calls: Awaited<ReturnType<typeof answered>>[] = [];
  while (calls.length < 4) calls.push(await answered(rig));
  await rig.client.loseInboxes();
  for (const { context, stream } of calls) {
    void context.respond({ body: "two" });
    context.end();
    expect(await rest(stream)).toEqual(["two"]);
  }
  await nothingLeft(rig);
});

test("closing marks go out together, and a mark that is lost is asked for by the next Alive", async () => {
  const rig = await world();
  let lost = 0;
  rig.client.loses = ({ headers }) => headers[FRAME_HEADER.closing] === "true" && ++lost <= 1;
  for (let index = 0; index < 20; index += 1) {
    const { stream, context } = await started(rig);
    void context.respond({ body: "one" });
    context.end();
    await rest(stream);
  }
  expect(rig.server.tables().retained).toBeGreaterThan(0);
  await nothingLeft(rig);
  const marks = rig.client.published.filter(({ headers }) => headers[FRAME_HEADER.closing] === "true");
  expect(marks.length).toBeLessThan(20);
  expect(lost).toBeGreaterThan(1);
});

test("with a resumeMs of 0 nothing is kept, and a call ends with its caller's inbox", async () => {
  const rig = await world({ resumeMs: 0 });
  const { stream, context } = await answered(rig);
  cutOff(rig);
  void context.respond({ body: "two" });
  await until(() => context.signal.aborted);
  rig.client.isReachable = true;
  expect(await codeOf(stream.ended)).toBe("DATA_LOSS");
  await nothingLeft(rig);
});
