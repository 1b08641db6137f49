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

  it("waits longer once if it is told to, until the next sign", async () => {
    const clock = new VirtualClock();
    const { silences, watch } = watched(clock);
    watch.sign(1_000, 6_000);
    await clock.pass(5_900);
    expect(silences).toEqual([]);
    watch.sign(undefined);
    await clock.pass(2_900);
    expect(silences).toEqual([]);
    await clock.pass(200);
    expect(silences.length).toBe(1);
  });

  it("counts the time in which the process stood still for one look at most", () => {
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
    const standStillUntil = (at: number): void => {
      now = at;
      timers.shift()?.action();
    };
    const lookInVain = (...at: number[]): void => {
      for (const each of at) {
        expect(silences).toEqual([]);
        expect(timers.map((timer) => timer.at)).toEqual([each]);
        standStillUntil(each);
      }
    };
    watch.sign(1_000);
    // It goes on just before the three intervals are over: nothing that came meanwhile has been read.
    standStillUntil(2_990);
    lookInVain(3_990, 4_990, 5_990);
    expect(silences).toEqual([5_990]);

    silences.length = 0;
    watch.sign(1_000);
    lookInVain(6_990);
    standStillUntil(60_000);
    lookInVain(61_000, 62_000);
    expect(silences).toEqual([62_000]);
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
