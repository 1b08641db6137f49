import { describe, it } from "vitest";
import { contractCases, runCase } from "../../src/contract/index.js";
import { brokenHarness } from "./broken-driver.js";
import { brokenRequestSinks } from "./request-sink-sabotages.js";

/** Deadlines are cut short: whatever has not happened on a broker in this process by then, will not. */
const TIME_SCALE = 0.6;
const LIMIT_MS = 60_000;
const AT_ONCE = 4;

const needed = [...new Set(brokenRequestSinks.flatMap(({ caughtBy }) => caughtBy))];

describe("the contract suite of RequestSink, by itself", () => {
  it(
    "passes the memory driver behind the wrapper that breaks the others",
    async ({ expect }) => {
      const failed = await failing("whole", needed, {});
      expect([...failed].map(([id, error]) => `${id}: ${String(error)}`)).toEqual([]);
    },
    LIMIT_MS,
  );
});

// Nearly all of their time is waiting.
describe.concurrent("the contract suite of RequestSink", () => {
  for (const { name, sabotage, caughtBy } of brokenRequestSinks) {
    it(
      `fails a driver that ${name}, by ${caughtBy.join(" ")}`,
      async ({ expect }) => {
        const failed = await failing(name, caughtBy, sabotage);
        expect([...failed.keys()].sort()).toEqual([...caughtBy].sort());
      },
      LIMIT_MS,
    );
  }
});

/** Which of these cases fail, each with a harness of its own. */
async function failing(
  name: string,
  ids: readonly string[],
  sabotage: Parameters<typeof brokenHarness>[1],
): Promise<Map<string, unknown>> {
  const failed = new Map<string, unknown>();
  const waiting = [...ids];
  const runSome = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      const subject = contractCases.find((one) => one.id === id);
      if (subject === undefined) throw new Error(`there is no case ${id}`);
      try {
        await runCase(subject, brokenHarness(name, sabotage, TIME_SCALE));
      } catch (error) {
        failed.set(id, error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runSome));
  return failed;
}
