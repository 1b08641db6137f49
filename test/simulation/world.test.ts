import { describe, expect, it } from "vitest";
import { Line } from "./line.js";
import { SeededRandom } from "./seeded-random.js";
import { ProcessClock, World, WorldStuck } from "./world.js";

describe("World", () => {
  it("lets things happen by time, then by the order in which they were asked for", async () => {
    const world = new World(1_000);
    const seen: string[] = [];
    for (const [ms, name] of [
      [5, "c"],
      [1, "a"],
      [5, "d"],
      [1, "b"],
    ] as const) {
      world.after(ms, () => seen.push(`${name}${world.elapsedMs}`));
    }
    world.after(3, () => seen.push("never"))();
    await world.run(() => false);
    expect(seen).toEqual(["a1", "b1", "c5", "d5"]);
  });

  it("lets every promise that can settle do so before the next thing happens", async () => {
    const world = new World(1_000);
    const seen: string[] = [];
    world.begin(0, async () => {
      for (let turn = 0; turn < 500; turn += 1) await Promise.resolve();
      seen.push("after 500 awaits");
    });
    world.schedule(() => seen.push("the next"));
    await world.run(() => false);
    expect(seen).toEqual(["after 500 awaits", "the next"]);
  });

  it("sorts many, some of them called off", async () => {
    const world = new World(100_000);
    const random = new SeededRandom(7, "test");
    const seen: number[] = [];
    const cancels = Array.from({ length: 5_000 }, () => {
      const at = random.int(0, 1_000);
      return world.after(at, () => seen.push(at));
    });
    for (const [index, cancel] of cancels.entries()) if (index % 3 === 0) cancel();
    await world.run(() => false);
    expect(seen).toEqual([...seen].sort((one, other) => one - other));
    expect(seen.length).toBe(cancels.filter((_, index) => index % 3 !== 0).length);
  });

  it("stops one that goes round in circles, and passes on what an action throws", async () => {
    const circling = new World(100);
    const again = (): void => circling.schedule(again);
    again();
    await expect(circling.run(() => false)).rejects.toBeInstanceOf(WorldStuck);
    const throwing = new World(100);
    throwing.schedule(() => {
      throw new Error("out of an action");
    });
    await expect(throwing.run(() => false)).rejects.toThrow("out of an action");
    const rejecting = new World(100);
    rejecting.begin(0, () => Promise.reject(new Error("out of a longer one")));
    rejecting.after(1, () => {});
    await expect(rejecting.run(() => false)).rejects.toThrow("out of a longer one");
  });
});

describe("ProcessClock", () => {
  it("counts what is pending, and falls silent with its process", async () => {
    const world = new World(100);
    const clock = new ProcessClock(world);
    const seen: string[] = [];
    clock.setTimer(1, () => seen.push("first"));
    clock.setTimer(2, () => seen.push("cancelled"))();
    clock.setTimer(10, () => seen.push("after the end"));
    expect(clock.pending).toBe(2);
    world.after(5, () => clock.stop());
    await world.run(() => false);
    expect(seen).toEqual(["first"]);
  });
});

describe("Line", () => {
  it("keeps the order through latency and freezing, and loses what is under way when it is cut", async () => {
    const world = new World(10_000);
    const random = new SeededRandom(3, "test");
    const line = new Line(world, () => random.int(0, 50));
    const seen: number[] = [];
    for (let index = 0; index < 200; index += 1) {
      world.after(index, () => line.push(() => seen.push(index)));
    }
    for (const at of [20, 50, 55, 120]) world.after(at, () => line.freezeUntil(world.now + 40));
    let arrived = 0;
    world.after(180, () => {
      line.cut();
      arrived = seen.length;
    });
    await world.run(() => false);
    expect(seen).toEqual(seen.map((_, index) => index));
    expect(arrived).toBeGreaterThan(50);
    expect(seen.length).toBe(arrived);
  });
});

describe("SeededRandom", () => {
  it("gives the same for the same seed and stream, and something else for others", () => {
    const draw = (seed: number, stream: string): number[] => {
      const random = new SeededRandom(seed, stream);
      return Array.from({ length: 20 }, () => random.int(0, 1_000_000));
    };
    expect(draw(1, "a")).toEqual(draw(1, "a"));
    expect(draw(1, "a")).not.toEqual(draw(2, "a"));
    expect(draw(1, "a")).not.toEqual(draw(1, "b"));
    expect(new SeededRandom(1, "a").uuid()).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/);
  });
});
