import { expect, test } from "vitest";
import { Deadline } from "../../../../src/core/request/deadline.js";
import { SharedTimers } from "../../../../src/core/request/shared-timers.js";
import { VirtualClock } from "../../../support/virtual-clock.js";

function createDeadline(timeoutMs: number) {
  const clock = new VirtualClock();
  const start = clock.now();
  const over: number[] = [];
  const deadline = new Deadline(new SharedTimers(clock), timeoutMs, {
    onDeadline: () => over.push(clock.now() - start),
  });
  return { clock, start, over, deadline, at: () => deadline.endsAt - start };
}

test("is over once, at its time", async () => {
  const { clock, over } = createDeadline(100);
  await clock.pass(99);
  expect(over).toEqual([]);
  await clock.pass(1_000);
  expect(over).toEqual([100]);
  expect(clock.pending).toBe(0);
});

test("extend moves it to so many milliseconds from now, and never to an earlier time", async () => {
  const { clock, over, deadline, at } = createDeadline(100);
  deadline.extend(50);
  expect(at()).toBe(100);
  deadline.extend(0);
  deadline.extend(-1_000);
  expect(at()).toBe(100);
  await clock.pass(80);
  deadline.extend(50);
  expect(at()).toBe(130);
  await clock.pass(1_000);
  expect(over).toEqual([130]);
});

test("stands still while it is held, and runs on with what was left", async () => {
  const { clock, over, deadline, at } = createDeadline(100);
  await clock.pass(60);
  deadline.hold(10_000);
  await clock.pass(500);
  expect(at()).toBe(600);
  deadline.release();
  expect(at()).toBe(600);
  await clock.pass(39);
  expect(over).toEqual([]);
  await clock.pass(1_000);
  expect(over).toEqual([600]);
});

test("is held for at most so long, counted anew from each hold", async () => {
  const { clock, over, deadline } = createDeadline(100);
  await clock.pass(60);
  deadline.hold(200);
  await clock.pass(150);
  deadline.hold(200);
  await clock.pass(1_000);
  // 60 ran, 150 + 200 stood still, 40 were left.
  expect(over).toEqual([60 + 150 + 200 + 40]);
});

test("is moved while it is held too", async () => {
  const { clock, over, deadline } = createDeadline(100);
  deadline.hold(1_000);
  await clock.pass(50);
  deadline.extend(300);
  deadline.release();
  await clock.pass(5_000);
  expect(over).toEqual([350]);
});

test("a release that was not held for does nothing", async () => {
  const { clock, over, deadline } = createDeadline(100);
  deadline.release();
  await clock.pass(200);
  expect(over).toEqual([100]);
});

test("cancelled it is never over and leaves no timer", async () => {
  const { clock, over, deadline } = createDeadline(100);
  deadline.extend(500);
  deadline.cancel();
  await clock.pass(10_000);
  expect(over).toEqual([]);
  expect(clock.pending).toBe(0);
});

test("a thousand moves cost no timer each", async () => {
  const { clock, over, deadline } = createDeadline(100);
  for (let index = 0; index < 1_000; index += 1) {
    deadline.extend(100 + index);
    expect(clock.pending).toBeLessThanOrEqual(1);
  }
  await clock.pass(5_000);
  expect(over).toEqual([1_099]);
});
