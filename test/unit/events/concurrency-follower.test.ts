import { describe, expect, it } from "vitest";
import { ConcurrencyFollower } from "../../../src/events/concurrency-follower.js";
import { VirtualClock } from "../../support/virtual-clock.js";

describe("what is taken from the broker", () => {
  const setUp = () => {
    const clock = new VirtualClock();
    const applied: number[] = [];
    const state = { demand: 0 };
    const apply = (concurrency: number): void => void applied.push(concurrency);
    const follower = new ConcurrencyFollower({ clock, base: 3, demand: () => state.demand, apply });
    return { clock, applied, state, follower };
  };

  it("follows the credits in doubling steps, at most once a second", async () => {
    const { clock, applied, state, follower } = setUp();
    state.demand = 3;
    follower.joined();
    for (let demand = 4; demand <= 100; demand += 1) {
      state.demand = demand;
      follower.touch();
      await clock.pass(100);
    }
    await clock.pass(1_000);
    expect(applied).toEqual([3, 24, 48, 96, 192]);
    expect(clock.pending).toBeLessThanOrEqual(1);
  });

  it("takes at once what those who come need, in few changes for many of them", () => {
    const { applied, state, follower } = setUp();
    for (let subscribers = 1; subscribers <= 1_000; subscribers += 1) {
      state.demand = 3 * subscribers;
      follower.joined();
    }
    expect(applied).toEqual([3, 6, 12, 24, 48, 96, 192, 384, 768, 1_536, 3_072]);
  });

  it("takes nothing at once when nobody is left, and again at once when somebody can take something", async () => {
    const { clock, applied, state, follower } = setUp();
    state.demand = 3;
    follower.joined();
    state.demand = 0;
    follower.pause();
    state.demand = 2;
    follower.touch();
    expect(applied).toEqual([3, 0, 2]);
    await clock.pass(5_000);
    expect(applied).toEqual([3, 0, 2]);
    expect(clock.pending).toBe(0);
  });

  it("shrinks a second later, is bounded, and stops", async () => {
    const { clock, applied, state, follower } = setUp();
    state.demand = 1_000_000;
    follower.joined();
    state.demand = 1;
    follower.touch();
    await clock.pass(999);
    expect(applied).toEqual([32_768]);
    await clock.pass(1);
    expect(applied).toEqual([32_768, 1]);
    state.demand = 50;
    follower.touch();
    follower.stop();
    await clock.pass(5_000);
    follower.joined();
    expect(applied).toEqual([32_768, 1]);
    expect(clock.pending).toBe(0);
  });
});
