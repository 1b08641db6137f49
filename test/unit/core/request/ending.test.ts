import { expect, test } from "vitest";
import { MessagingError } from "../../../../src/errors/messaging-error.js";
import { batchOf, bodiesOf, expectCode, outcomeOf, send, startCall, TIMEOUT_MS } from "./call-rig.js";

test("an aborted call ends once: the sink's signal aborts, what is unread is dropped, and nothing is taken any more", async () => {
  const rig = startCall();
  let aborts = 0;
  rig.context.signal.addEventListener("abort", () => {
    aborts += 1;
  });
  send(rig, "one");
  rig.stream.abort();
  rig.stream.abort();
  expect(aborts).toBe(1);
  expect(MessagingError.is(rig.context.signal.reason, "ABORTED")).toBe(true);
  expect(await rig.context.respond({ body: "late" })).toBe(false);
  expect(rig.context.keepAlive(1_000)).toBe(false);
  await expectCode(bodiesOf(rig.stream), "ABORTED");
  await expectCode(rig.stream.ended, "ABORTED");
  expect(rig.clock.pending).toBe(0);
});

test("a clean end aborts no signal, and what comes after it changes nothing", async () => {
  const rig = startCall();
  rig.context.end();
  rig.context.fail(new MessagingError("INTERNAL", "too late"));
  rig.stream.abort();
  await rig.stream.ended;
  expect(rig.context.signal.aborted).toBe(false);
  expect(await rig.context.respond({ body: "late" })).toBe(false);
  expect(await bodiesOf(rig.stream)).toEqual([]);
  await rig.clock.pass(10 * TIMEOUT_MS);
  expect(await bodiesOf(rig.stream)).toEqual([]);
});

test("at its time a call ends with TIMEOUT, exactly, and a reader that waits is told at once", async () => {
  const rig = startCall();
  const reading = bodiesOf(rig.stream);
  reading.catch(() => undefined);
  await rig.clock.pass(TIMEOUT_MS - 1);
  expect(await outcomeOf(rig, reading)).toBe("pending");
  await rig.clock.pass(1);
  await expectCode(reading, "TIMEOUT");
  expect(MessagingError.is(rig.context.signal.reason, "TIMEOUT")).toBe(true);
});

test("ended says so without any reader", async () => {
  const rig = startCall();
  const { ended } = rig.stream;
  ended.catch(() => undefined);
  await rig.clock.pass(TIMEOUT_MS);
  await expectCode(ended, "TIMEOUT");
});

test("keepAlive moves the deadline by what is asked from now, never back", async () => {
  const rig = startCall();
  const start = rig.clock.now();
  await rig.clock.pass(900);
  expect(rig.context.keepAlive(500)).toBe(true);
  expect(rig.context.deadline).toBe(start + 1_400);
  expect(rig.context.keepAlive(1)).toBe(true);
  expect(rig.context.deadline).toBe(start + 1_400);
  await rig.clock.pass(499);
  expect(rig.context.signal.aborted).toBe(false);
  await rig.clock.pass(1);
  expect(rig.context.signal.aborted).toBe(true);
  expect(rig.context.keepAlive(500)).toBe(false);
});

test("where it is not allowed, keepAlive says whether the call is open, and nothing moves", async () => {
  const rig = startCall({ allowKeepAlive: false });
  expect(rig.context.keepAlive(60_000)).toBe(true);
  send(rig, "one");
  expect(await batchOf(rig, 1, 0)).toEqual(["one"]);
  await rig.clock.pass(TIMEOUT_MS);
  await expectCode(rig.stream.ended, "TIMEOUT");
  expect(rig.context.keepAlive(60_000)).toBe(false);
});

test("each response moves the deadline by 10 s", async () => {
  const rig = startCall();
  await rig.clock.pass(900);
  send(rig, "one");
  expect(await batchOf(rig, 1, 0)).toEqual(["one"]);
  await rig.clock.pass(9_999);
  expect(rig.context.signal.aborted).toBe(false);
  await rig.clock.pass(2);
  await expectCode(rig.stream.ended, "TIMEOUT");
});

test("unread responses hold the deadline up, for stallMs from each one taken", async () => {
  const rig = startCall({ allowKeepAlive: false, stallMs: 5_000 });
  await rig.clock.pass(400);
  send(rig, "one", "two");
  await rig.clock.pass(4_000);
  expect(await batchOf(rig, 1, 0)).toEqual(["one"]);
  await rig.clock.pass(4_000);
  expect(rig.context.signal.aborted).toBe(false);
  // 1,000 of the stall, then the 600 that were left.
  await rig.clock.pass(1_599);
  expect(rig.context.signal.aborted).toBe(false);
  await rig.clock.pass(1);
  expect(rig.context.signal.aborted).toBe(true);
  expect(await batchOf(rig, 1, 0)).toEqual(["two"]);
  await expectCode(batchOf(rig, 1, 0), "TIMEOUT");
});

test("leaving the loop aborts, unless all was read", async () => {
  const left = startCall();
  send(left, "one", "two");
  for await (const _ of left.stream) break;
  expect(left.context.signal.aborted).toBe(true);
  await expectCode(left.stream.ended, "ABORTED");
  const whole = startCall();
  send(whole, "one");
  whole.context.end();
  for await (const _ of whole.stream) break;
  expect(whole.context.signal.aborted).toBe(false);
  await whole.stream.ended;
});

test("await using gives a call up that is not over", async () => {
  const rig = startCall();
  await rig.stream[Symbol.asyncDispose]();
  expect(rig.context.signal.aborted).toBe(true);
});

test("nobody has to look at ended: a failed call is no unhandled rejection", async () => {
  const seen: unknown[] = [];
  const listener = (reason: unknown) => seen.push(reason);
  process.on("unhandledRejection", listener);
  const rig = startCall();
  rig.context.fail(new MessagingError("REMOTE", "nobody looks"));
  await rig.clock.settle();
  process.off("unhandledRejection", listener);
  expect(seen).toEqual([]);
});
