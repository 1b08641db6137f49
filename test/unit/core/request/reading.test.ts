import { expect, test } from "vitest";
import { MessagingError } from "../../../../src/errors/messaging-error.js";
import { batchOf, bodiesOf, expectCode, outcomeOf, send, startCall } from "./call-rig.js";

const failure = () => new MessagingError("REMOTE", "out of cheese");

test("a response counts as taken when the application takes it, not when it arrives", async () => {
  const rig = startCall({ window: 2 });
  const taken: number[] = [];
  rig.context.onTaken?.((count) => taken.push(count));
  send(rig, "one", "two");
  await rig.clock.settle();
  expect(taken).toEqual([]);
  expect(await batchOf(rig, 1, 0)).toEqual(["one"]);
  expect(taken).toEqual([1]);
  expect(await batchOf(rig, 1, 0)).toEqual(["two"]);
  expect(taken).toEqual([1, 2]);
});

test("what is buffered is returned at once", async () => {
  const rig = startCall();
  send(rig, "one");
  expect(await batchOf(rig, 1, 60_000)).toEqual(["one"]);
});

test("a batch without a wait takes all that is there, and what comes later is in the next", async () => {
  const rig = startCall();
  send(rig, "one", "two");
  expect(await outcomeOf(rig, rig.stream.batch({ max: 10, waitMs: 0 }))).toBe("pending");
  await rig.clock.pass(1);
  const later = startCall();
  send(later, "one", "two");
  const first = batchOf(later, 10, 0);
  await later.clock.pass(0);
  expect(await first).toEqual(["one", "two"]);
  send(later, "three");
  const second = batchOf(later, 10, 0);
  await later.clock.pass(0);
  expect(await second).toEqual(["three"]);
});

test("an error is thrown after what came before it has been read, and every time", async () => {
  const rig = startCall();
  send(rig, "one");
  rig.context.fail(failure());
  expect(await batchOf(rig, 5, 60_000)).toEqual(["one"]);
  await expectCode(batchOf(rig, 5, 60_000), "REMOTE");
  await expectCode(bodiesOf(rig.stream), "REMOTE");
  await expectCode(rig.stream.ended, "REMOTE");
});

test("a reader that waits is woken by a response, by the end, and by an error", async () => {
  for (const what of ["response", "end", "error"] as const) {
    const rig = startCall();
    const reading = batchOf(rig, 1, 60_000);
    expect(await outcomeOf(rig, reading)).toBe("pending");
    if (what === "response") send(rig, "late");
    else if (what === "end") rig.context.end();
    else rig.context.fail(failure());
    if (what === "error") await expectCode(reading, "REMOTE");
    else expect(await reading).toEqual(what === "end" ? [] : ["late"]);
  }
});

test("a loop that waits ends with the end, after what was buffered", async () => {
  const rig = startCall();
  const reading = bodiesOf(rig.stream);
  send(rig, "one", "two");
  await rig.clock.settle();
  send(rig, "three");
  rig.context.end();
  expect(await reading).toEqual(["one", "two", "three"]);
  expect(await bodiesOf(rig.stream)).toEqual([]);
});

test("a response and the end in the same turn: the response is not lost", async () => {
  for (let round = 0; round < 100; round += 1) {
    const rig = startCall();
    const reading = bodiesOf(rig.stream);
    if (round % 2 === 0) await rig.clock.settle();
    send(rig, "last");
    rig.context.end();
    expect(await reading).toEqual(["last"]);
  }
});

test("a batch waits for so many or so long, whichever is first", async () => {
  const rig = startCall();
  const timed = batchOf(rig, 3, 100);
  send(rig, "one");
  await rig.clock.pass(99);
  expect(await outcomeOf(rig, timed)).toBe("pending");
  await rig.clock.pass(1);
  expect(await timed).toEqual(["one"]);
  const counted = batchOf(rig, 3, 100);
  send(rig, "two", "three", "four", "five");
  expect(await counted).toEqual(["two", "three", "four"]);
  const rest = batchOf(rig, 3, 0);
  await rig.clock.pass(0);
  expect(await rest).toEqual(["five"]);
});

test("a partial batch is ended by the end, and by an error, without its wait", async () => {
  const ended = startCall();
  const batch = batchOf(ended, 5, 60_000);
  send(ended, "one");
  ended.context.end();
  expect(await batch).toEqual(["one"]);
  const failed = startCall();
  const partial = batchOf(failed, 5, 60_000);
  send(failed, "one");
  failed.context.fail(failure());
  expect(await partial).toEqual(["one"]);
  await expectCode(batchOf(failed, 1, 60_000), "REMOTE");
});

test("a batch without anything resolves empty at its time, and leaves no timer once the call is over", async () => {
  const rig = startCall();
  const batch = batchOf(rig, 5, 100);
  await rig.clock.pass(100);
  expect(await batch).toEqual([]);
  rig.context.end();
  await rig.clock.settle();
  expect(rig.clock.pending).toBe(0);
});

test("two readers share the responses: each is read once", async () => {
  const rig = startCall();
  const readers = Promise.all([bodiesOf(rig.stream), bodiesOf(rig.stream)]);
  send(rig, "one", "two", "three", "four");
  rig.context.end();
  expect((await readers).flat().sort()).toEqual(["four", "one", "three", "two"]);
});

test("a batch that makes no sense is refused", async () => {
  const rig = startCall({ window: 10 });
  for (const options of [
    { max: 0, waitMs: 0 },
    { max: 11, waitMs: 0 },
    { max: 1.5, waitMs: 0 },
    { max: 1, waitMs: -1 },
    { max: 1, waitMs: Number.NaN },
  ]) {
    await expectCode(rig.stream.batch(options), "INVALID_ARGUMENT");
  }
});
