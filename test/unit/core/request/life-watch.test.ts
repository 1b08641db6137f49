import { describe, expect, it } from "vitest";
import { LifeWatch } from "../../../../src/core/request/life-watch.js";
import { SharedTimers } from "../../../../src/core/request/shared-timers.js";
import type { Clock } from "../../../../src/ports/clock.js";
import { VirtualClock } from "../../../support/virtual-clock.js";

function watched(clock: Clock) {
  const silences: number[] = [];
  return { silences, watch: new LifeWatch(new SharedTimers(clock), { onSilence: () => silences.push(clock.now()) }) };
}

describe("LifeWatch", () => {
  it("expects nothing before an interval is known", async () => {
    const clock = new VirtualClock();
    const { silences, watch } = watched(clock);
    watch.sign(undefined);
    await clock.pass(1_000_000);
    expect(silences).toEqual([]);
  });

  it("reports silence three intervals after the last sign, and after the interval that was told last", async () => {
    const clock = new VirtualClock();
    const { silences, watch } = watched(clock);
    const start = clock.now();
    watch.sign(1_000);
    await clock.pass(2_900);
    watch.sign(undefined);
    await clock.pass(2_900);
    watch.sign(5_000);
    await clock.pass(14_900);
    expect(silences).toEqual([]);
    await clock.pass(200);
    expect(silences.map((at) => at - start)).toEqual([20_800]);
    expect(clock.pending).toBe(0);
  });

  it("allows one more interval when the process itself stood still", async () => {
    let now = 0;
    const timers: { readonly at: number; readonly action: () => void }[] = [];
    const clock: Clock = {
      now: () => now,
      setTimer(ms, action) {
        timers.push({ at: now + ms, action });
        return () => {};
      },
    };
    const { silences, watch } = watched(clock);
    watch.sign(1_000);
    now = 60_000;
    timers.shift()?.action();
    expect(silences).toEqual([]);
    expect(timers[0]?.at).toBe(61_000);
    now = 61_000;
    timers.shift()?.action();
    expect(silences).toEqual([61_000]);
  });

  it("is silent for good once it is cancelled", async () => {
    const clock = new VirtualClock();
    const { silences, watch } = watched(clock);
    watch.sign(1_000);
    watch.cancel();
    await clock.pass(10_000);
    expect(silences).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
