import { describe, it } from "vitest";
import { brokenHarness } from "./broken-driver.js";
import { brokenDrivers } from "./broken-drivers.js";
import { brokenTests } from "./broken-tests.js";
import { brokenReplays } from "./drivers/broken-replays.js";
import { DRIVER_FAMILIES, failingCases } from "./failing-cases.js";

/** Deadlines of what must fail are cut short: whatever has not happened on a broker in this process by then, will not. */
const TIME_SCALE = 0.6;
const LIMIT_MS = 180_000;

// Nearly all of their time is waiting.
describe.concurrent("the contract suite", () => {
  it(
    "passes the memory driver behind the wrapper that breaks the others",
    async ({ expect }) => {
      const createHarness = (scale: number) => brokenHarness("whole", {}, scale);
      const failed = await failingCases({ createHarness, timeScale: TIME_SCALE }, DRIVER_FAMILIES);
      expect([...failed.keys()], reasons(failed)).toEqual([]);
    },
    LIMIT_MS,
  );

  for (const { name, sabotage, caughtBy, atTimesBy = [], families = DRIVER_FAMILIES } of brokenDrivers) {
    it(
      `fails a driver that ${name}, by ${caughtBy.join(" ")}`,
      async ({ expect }) => {
        const createHarness = (scale: number) => brokenHarness(name, sabotage, scale);
        const trial = { createHarness, caughtBy, atTimesBy, timeScale: TIME_SCALE };
        const failed = await failingCases(trial, families);
        const ids = [...failed.keys()].filter((id) => !atTimesBy.includes(id));
        expect(ids.sort(), reasons(failed, caughtBy)).toEqual([...caughtBy].sort());
      },
      LIMIT_MS,
    );
  }
});

brokenTests({
  suite: "the contract suite of replays",
  whole: "memory driver behind the wrapper that breaks the others",
  kind: "driver",
  broken: brokenReplays,
  createHarness: (broken, scale) => brokenHarness(broken?.name ?? "whole", broken?.sabotage ?? {}, scale),
  timeScale: TIME_SCALE,
});

/** Why cases failed that should not have. */
function reasons(failed: ReadonlyMap<string, unknown>, expected: readonly string[] = []): string {
  return [...failed]
    .filter(([id]) => !expected.includes(id))
    .map(([id, error]) => `${id}: ${String(error)}`)
    .join("\n");
}
