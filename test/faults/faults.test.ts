import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { failedRounds } from "../../tools/faults/runner/failed-rounds.js";
import type { FaultResult } from "../../tools/faults/runner/run-faults.js";
import { type ChildProgram, type ProgramEnd, startProgram } from "../../tools/process/child-program.js";

const FAULTS = fileURLToPath(new URL("../../dist/tools/faults/main.js", import.meta.url));
const SHORT_MS = 480_000;

async function faults(flags: readonly string[], act: (program: ChildProgram) => Promise<unknown>): Promise<ProgramEnd> {
  if (!existsSync(FAULTS)) throw new Error(`${FAULTS} is missing: run npm run build first`);
  const program = startProgram(FAULTS, flags);
  try {
    await act(program);
    return await program.ended;
  } finally {
    await program.end();
  }
}

describe("npm run faults", { timeout: SHORT_MS }, () => {
  it("--short: every fault but the slow ones, and every round holds", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-faults-test-"));
    try {
      let lines: readonly string[] = [];
      const json = join(folder, "faults.json");
      const { exitCode } = await faults(["--short", "--json", json], async (program) => {
        ({ lines } = program);
        await program.ended;
      });
      // What fails is said first: whoever keeps a part of the output keeps that.
      expect(existsSync(json), `ended with ${exitCode} and no outcome: ${lines.slice(-10).join("\n")}`).toBe(true);
      const { results } = JSON.parse(readFileSync(json, "utf8")) as { results: FaultResult[] };
      const failed = failedRounds(results);
      expect(failed.length, failed.join("\n")).toBe(0);
      const ids = new Set(results.map(({ id }) => id));
      // All but the one that needs a cluster.
      expect(ids).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12].map((number) => `K${number}`)));
      expect([exitCode, lines.at(-1)]).toEqual([0, `all ${results.length} rounds held`]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("ends all that it started at Ctrl-C, and fails", async () => {
    let folders: readonly string[] = [];
    const { exitCode } = await faults(["--only", "K3", "--adapter", "sqlite", "--seed", "1"], async (program) => {
      await program.line(/--seed 1/, 20_000);
      process.kill(program.pid, "SIGINT");
      folders = [...program.lines];
    });
    expect([exitCode, folders.length > 0]).toEqual([1, true]);
  });

  it.each([
    ["--only K99", "there is no K99"],
    ["--adapter nats", "--adapter must be memory, sqlite, rabbitmq"],
    ["--rounds 0", "--rounds must be"],
    ["--seed x", "--seed must be"],
    ["--only K8 --adapter memory", "nothing is left to run"],
  ])("refuses %s", async (flags, text) => {
    let lines: readonly string[] = [];
    const { exitCode } = await faults(flags.split(" "), async (program) => {
      await program.ended;
      ({ lines } = program);
    });
    expect([exitCode, lines.length]).toEqual([2, 1]);
    expect(lines[0]).toContain(text);
  });
});
