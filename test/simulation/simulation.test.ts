import { describe, expect, it } from "vitest";
import type { RunResult } from "./run-seed.js";
import { runSeed } from "./run-seed.js";

const SEEDS = 250;
/** Enough to see what happened, not enough to drown it. */
const MAX_LINES = 400;

/** What a failing run has to say: how to see it again, what is wrong, and the frames in order. */
function story({ plan, violations, trace }: RunResult): string {
  const wrong = violations.map(({ invariant, atMs, text }) => `${invariant} at ${atMs} ms: ${text}`);
  return [`npm run simulate -- --seed ${plan.seed}`, ...wrong, ...[...trace.lines()].slice(0, MAX_LINES)].join("\n");
}

describe("the simulation", () => {
  it("does the same for the same seed, byte for byte", async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const [first, second] = [await runSeed(seed), await runSeed(seed)];
      expect([...first.trace.lines()]).toEqual([...second.trace.lines()]);
      expect(first.entries).toEqual(second.entries);
    }
  });

  it(`finds nothing wrong in ${SEEDS} seeds, and has seen every kind of trouble in them`, {
    timeout: 60_000,
  }, async () => {
    const outcomes = new Map<string, number>();
    const seen = new Set<string>();
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const run = await runSeed(seed);
      if (run.violations.length > 0) throw new Error(story(run));
      for (const { kind } of run.plan.faults) seen.add(kind);
      for (const { fact } of run.entries) {
        if (fact.type === "ended") outcomes.set(fact.outcome, (outcomes.get(fact.outcome) ?? 0) + 1);
        if (fact.type === "sent") seen.add(fact.hasFlowControl ? "V5" : "V4");
        if (fact.type === "died") seen.add("died");
      }
      for (const line of run.trace.lines()) {
        for (const word of ["ChannelRequest", "FragmentEnd", "=R>", "-x ", "=2>", "<-x"])
          if (line.includes(word)) seen.add(word);
      }
    }
    expect([...seen].sort()).toEqual(
      [
        ...[
          "lose-connection",
          "lose-inbox",
          "lose-consumer",
          "lose-subscription",
          "lose-frames",
          "freeze",
          "block-broker",
          "kill",
          "close",
        ],
        ...["V4", "V5", "died", "ChannelRequest", "FragmentEnd", "=R>", "-x ", "=2>", "<-x"],
      ].sort(),
    );
    const calls = [...outcomes.values()].reduce((sum, count) => sum + count, 0);
    expect(calls).toBeGreaterThan(SEEDS * 2);
    expect(outcomes.get("ok")).toBeGreaterThan(calls * 0.3);
    for (const outcome of ["REMOTE", "TIMEOUT", "ABORTED", "UNAVAILABLE", "CLOSED", "LEFT", "ALREADY_EXISTS"]) {
      expect(outcomes.get(outcome) ?? 0, outcome).toBeGreaterThan(0);
    }
  });
});
