import { afterEach, expect, test, vi } from "vitest";
import { Stopwatch } from "../../../src/contract/stopwatch.js";
import { SharedTimers } from "../../../src/core/request/shared-timers.js";
import { systemClock } from "../../../src/core/system-clock.js";

const HOUR_MS = 3_600_000;

afterEach(() => {
  vi.restoreAllMocks();
});

function setBack(ms: number): void {
  const real = Date.now.bind(Date);
  vi.spyOn(Date, "now").mockImplementation(() => real() - ms);
}

test("never goes back, and waits for the machine's clock at half its pace", async () => {
  const before = systemClock.now();
  setBack(HOUR_MS);
  const since = performance.now();
  const at = systemClock.now();
  expect(at).toBeGreaterThanOrEqual(before);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const later = systemClock.now();
  const passedMs = performance.now() - since;
  expect(later).toBeGreaterThan(at);
  expect(later - at).toBeLessThanOrEqual(passedMs / 2 + 2);
});

test("is the machine's clock again as soon as that has caught up", async () => {
  systemClock.now();
  setBack(20);
  systemClock.now();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = Date.now();
  const told = systemClock.now();
  expect(told).toBeGreaterThanOrEqual(before);
  expect(told).toBeLessThanOrEqual(Date.now());
});

test("a shared timer that was set before the clock was set back rings within twice its time", async () => {
  const timers = new SharedTimers(systemClock);
  const watch = new Stopwatch();
  const rung = new Promise<void>((resolve) => {
    timers.setTimer(100, resolve);
  });
  setBack(HOUR_MS);
  await rung;
  expect(watch.undisturbedMs).toBeLessThan(2_000);
});
