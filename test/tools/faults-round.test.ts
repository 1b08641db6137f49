import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { hasHeld, Ledger } from "../../tools/faults/ledger/ledger.js";
import type { FaultOutcome, FaultRound, FaultScenario } from "../../tools/faults/round/scenario.js";
import { faultTable } from "../../tools/faults/runner/fault-table.js";
import { runRound } from "../../tools/faults/runner/run-round.js";
import { SharedNode } from "../../tools/faults/runner/shared-node.js";

/** One round of a scenario that does this, on memory. */
async function round(
  run: (round: FaultRound) => Promise<FaultOutcome>,
  { limitMs = 5_000, stopped = new AbortController().signal, unhandled = [] as string[] } = {},
): Promise<FaultOutcome> {
  const guardDirectory = mkdtempSync(join(tmpdir(), "fairlead-round-test-"));
  onTestFinished(() => rmSync(guardDirectory, { recursive: true }));
  const scenario: FaultScenario = { id: "K0", title: "test", adapters: ["memory"], limitMs, run };
  return runRound(scenario, "memory", 1, {
    isShort: true,
    guardDirectory,
    node: new SharedNode({ isHealedAlways: true }),
    unhandled: {
      get count() {
        return unhandled.length;
      },
      since: (count) => unhandled.slice(count),
      stop() {},
    },
    stopped,
    say() {},
  });
}

describe("a round of faults", () => {
  it("ends what it started, the last one first, and removes its directory", async () => {
    const ended: number[] = [];
    let directory = "";
    const outcome = await round(async (given) => {
      ({ directory } = given);
      writeFileSync(join(directory, "file"), "text");
      given.atEnd(() => void ended.push(1));
      given.atEnd(async () => void ended.push(2));
      return new Ledger().outcome();
    });
    expect([hasHeld(outcome), ended, existsSync(directory)]).toEqual([true, [2, 1], false]);
  });

  it("fails when it overruns its limit, and is ended all the same", async () => {
    let wasTold = false;
    let ended = false;
    const outcome = await round(
      async ({ atEnd, stopped }) => {
        stopped.addEventListener("abort", () => {
          wasTold = true;
        });
        atEnd(() => {
          ended = true;
        });
        return new Promise(() => {});
      },
      { limitMs: 50 },
    );
    expect(outcome.violations).toEqual(["not over within 50 ms"]);
    expect([hasHeld(outcome), wasTold, ended]).toEqual([false, true, true]);
  });

  it("fails when it rejects, when an end of it does, and by errors that nobody handled", async () => {
    const unhandled = ["of an earlier round"];
    const outcome = await round(
      async ({ atEnd }) => {
        atEnd(() => Promise.reject(new Error("cannot end")));
        unhandled.push("uncaught exception: oh");
        throw new Error("went wrong");
      },
      { unhandled },
    );
    expect(outcome.violations).toEqual(["went wrong", "at the end: cannot end", "uncaught exception: oh"]);
  });

  it("ends at once when the run is stopped", async () => {
    const stop = new AbortController();
    const outcome = await round(
      async () => {
        stop.abort();
        return new Promise(() => {});
      },
      { stopped: stop.signal },
    );
    expect(outcome.violations).toEqual(["stopped by a signal"]);
  });

  it("makes the same decisions with the same seed", async () => {
    const decisions: number[][] = [];
    for (let time = 0; time < 2; time += 1) {
      await round(async ({ random }) => {
        decisions.push([random(), random(), random()]);
        return new Ledger().outcome();
      });
    }
    expect(decisions[0]).toEqual(decisions[1]);
  });
});

describe("the table of faults", () => {
  it("has a row for each scenario on each adapter, with sums, the longest gap and what failed", () => {
    const outcome = { ...new Ledger().outcome({ notes: ["a | b"] }), sent: 1_000, longestGapMs: 640 };
    const common = { id: "K1", title: "killed", seed: 1, seconds: 1 };
    const table = faultTable([
      { ...common, adapter: "memory", round: 1, held: true, outcome },
      { ...common, adapter: "sqlite", round: 1, held: true, outcome },
      {
        ...common,
        adapter: "memory",
        round: 2,
        held: false,
        outcome: { ...outcome, violations: ["no\nstack"], notes: [] },
      },
    ]).split("\n");
    expect(table).toHaveLength(4);
    expect(new Set(table.map((line) => line.replaceAll("\\|", "").split("|").length))).toEqual(new Set([15]));
    expect(table[2]).toMatch(
      /^\| K1 +\| killed +\| memory +\| +2 \| +2,000 .* 0\.64 s \| FAILED in 1 of 2; no; a \\\| b \|$/,
    );
  });
});
