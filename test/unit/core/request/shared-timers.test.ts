import { describe, expect, it } from "vitest";
import { SharedTimers } from "../../../../src/core/request/shared-timers.js";
import { VirtualClock } from "../../../support/virtual-clock.js";

describe("SharedTimers", () => {
  it("fires each timer at its time, in order, with one timer of the clock below", async () => {
    const clock = new VirtualClock();
    const timers = new SharedTimers(clock);
    const start = clock.now();
    const fired: string[] = [];
    for (const ms of [50, 10, 30, 20, 40, 10]) timers.setTimer(ms, () => fired.push(`${ms} at ${clock.now() - start}`));
    expect(clock.pending).toBe(1);
    await clock.pass(100);
    expect(fired).toEqual(["10 at 10", "10 at 10", "20 at 20", "30 at 30", "40 at 40", "50 at 50"]);
    expect(timers.size).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it("forgets what is cancelled, in any order, and leaves no timer behind", async () => {
    const clock = new VirtualClock();
    const timers = new SharedTimers(clock);
    const fired: number[] = [];
    const cancels = Array.from({ length: 100 }, (_, index) =>
      timers.setTimer(((index * 37) % 100) + 1, () => fired.push(index)),
    );
    cancels.forEach((cancel, index) => {
      if (index % 3 !== 0) cancel();
    });
    await clock.pass(200);
    const order = Array.from({ length: 34 }, (_, index) => index * 3).sort(
      (a, b) => ((a * 37) % 100) - ((b * 37) % 100),
    );
    expect(fired).toEqual(order);
    for (const cancel of cancels) cancel();
    timers.setTimer(5, () => {})();
    expect(clock.pending).toBe(0);
  });

  it("takes new timers from one that fires", async () => {
    const clock = new VirtualClock();
    const timers = new SharedTimers(clock);
    const fired: number[] = [];
    const again = (): void => {
      fired.push(clock.now());
      if (fired.length < 5) timers.setTimer(10, again);
    };
    const start = clock.now();
    timers.setTimer(10, again);
    await clock.pass(100);
    expect(fired.map((at) => at - start)).toEqual([10, 20, 30, 40, 50]);
  });
});
