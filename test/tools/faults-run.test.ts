import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Ledger } from "../../tools/faults/ledger/ledger.js";
import type { FaultScenario } from "../../tools/faults/round/scenario.js";
import { failedRounds } from "../../tools/faults/runner/failed-rounds.js";
import { runFaults } from "../../tools/faults/runner/run-faults.js";

const OPTIONS = { adapter: undefined, isShort: false, seed: 1, jsonFile: undefined, tableFile: undefined } as const;

/** None of them asks for a node. */
function recorded(seen: string[], title: string, more: Partial<FaultScenario>): FaultScenario {
  return {
    id: "K1",
    title,
    adapters: ["rabbitmq"],
    limitMs: 10_000,
    async run() {
      seen.push(`${title} begins`);
      await delay(50);
      seen.push(`${title} ends`);
      return new Ledger().outcome({ violations: title === "broken" ? ["planted"] : [] });
    },
    ...more,
  };
}

async function run(scenarios: (seen: string[]) => readonly FaultScenario[], rounds: number) {
  const seen: string[] = [];
  const run = await runFaults(
    { ...OPTIONS, rounds, scenarios: scenarios(seen) },
    () => {},
    new AbortController().signal,
  );
  return { seen, results: run.results };
}

describe("a run of fault rounds", () => {
  it("has what shares nothing side by side", async () => {
    const { seen } = await run((all) => [recorded(all, "one", {}), recorded(all, "other", { hasOwnBroker: true })], 1);
    expect(seen.slice(0, 2).sort()).toEqual(["one begins", "other begins"]);
  });

  it("has what keeps apart one after the other, whatever its track", async () => {
    const apart = { keepsApart: true };
    const { seen } = await run(
      (all) => [recorded(all, "one", apart), recorded(all, "other", { ...apart, hasOwnBroker: true })],
      3,
    );
    expect(seen.length).toBe(12);
    for (let index = 0; index < seen.length; index += 2) {
      expect(seen[index + 1]).toBe(seen[index]?.replace("begins", "ends"));
    }
  });

  it("says at its end what failed, and nothing where all held", async () => {
    const { results } = await run((all) => [recorded(all, "well", {}), recorded(all, "broken", {})], 1);
    expect(failedRounds(results)).toEqual([
      "FAILED: 1 of 2 rounds: K1 broken, rabbitmq, round 1",
      "  K1 rabbitmq: planted",
      "  K1 rabbitmq: lost 0, stuck 0, unsettled 0",
    ]);
    expect(failedRounds(results.filter(({ held }) => held))).toEqual([]);
  });
});
