#!/usr/bin/env node
import { Command } from "commander";
import { BadInput, runProgram } from "../../tools/program/run-program.js";
import { invariants } from "./invariants.js";
import { type RunResult, runSeed } from "./run-seed.js";

/** One fault shows in many places. */
const MAX_VIOLATIONS = 5;
/** Enough for any run but one that goes round in circles. */
const MAX_LINES = 5_000;

const command = new Command("npm run simulate")
  .usage("-- [--seeds N] [--from S] [--planted] | --seed S [--frames]")
  .description("Runs the request engine over a wire on which everything breaks, one run for each seed.")
  .option("--seeds <count>", "how many runs", "1000")
  .option("--from <seed>", "the first seed", "1")
  .option("--seed <seed>", "only this one")
  .option("--failures <count>", "stop after so many failing seeds", "5")
  .option("--planted", "plant known bugs, one at a time, and look for each in so many seeds")
  .option("--frames", "print the frames also of a run in which nothing is wrong");

await runProgram(command, async (stopped) => {
  const options = command.opts<{
    seeds: string;
    from: string;
    failures: string;
    seed?: string;
    frames?: boolean;
    planted?: boolean;
  }>();
  const only = options.seed === undefined ? undefined : whole("--seed", options.seed, 0);
  const from = only ?? whole("--from", options.from, 0);
  const count = only === undefined ? whole("--seeds", options.seeds, 1) : 1;
  if (options.planted) return plant(from, count);
  const failures = whole("--failures", options.failures, 1);
  const startedAt = performance.now();
  const failed: RunResult[] = [];
  let runs = 0;
  let happenings = 0;
  for (let seed = from; seed < from + count && !stopped.aborted && failed.length < failures; seed += 1) {
    const result = await runSeed(seed);
    runs += 1;
    happenings += result.happenings;
    if (result.violations.length === 0 && !(only !== undefined && options.frames)) continue;
    if (result.violations.length > 0) failed.push(result);
    report(result, only !== undefined || failed.length === 1);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const rate = (runs / seconds).toFixed(0);
  print(
    `${runs} seeds, ${happenings} happenings, ${seconds.toFixed(1)} s, ${rate} seeds/s, ` +
      `${failed.length} failed: ${failed.flatMap(({ violations }) => violations).length} violations`,
  );
  return failed.length === 0 ? 0 : 1;
});

async function plant(from: number, count: number): Promise<number> {
  // With it comes a compiler, which the runs themselves need not load.
  const { huntBugs } = await import("./hunt.js");
  const runs = ["--seeds", String(count), "--from", String(from), "--failures", "1"];
  const found = await huntBugs(
    process.cwd(),
    () => runs,
    ({ bug, seed, invariants: broken }) => {
      const isRight = bug.breaks.some((id) => broken.includes(id));
      const where = seed === undefined ? "NOT FOUND" : `seed ${seed}: ${broken.join(" ")}`;
      print(`${isRight ? "found " : "MISSED"}  ${bug.name.padEnd(26)} ${where}`);
    },
  );
  const missed = found.filter(({ bug, invariants: broken }) => !bug.breaks.some((id) => broken.includes(id)));
  print(`${found.length - missed.length} of ${found.length} planted bugs found within ${count} seeds`);
  return missed.length === 0 ? 0 : 1;
}

function report({ plan, violations, trace }: RunResult, hasFrames: boolean): void {
  if (violations.length > 0) print(`npm run simulate -- --seed ${plan.seed}`);
  for (const { invariant, atMs, text } of violations.slice(0, MAX_VIOLATIONS)) {
    const { sentence = "" } = invariants.find(({ id }) => id === invariant) ?? {};
    print(`  ${invariant} ${sentence}: ${text} (at ${atMs} ms)`);
  }
  if (violations.length > MAX_VIOLATIONS) print(`  … and ${violations.length - MAX_VIOLATIONS} more`);
  if (!hasFrames) return;
  let lines = 0;
  for (const line of trace.lines()) {
    lines += 1;
    if (lines <= MAX_LINES) print(line);
  }
  if (lines > MAX_LINES) print(`… and ${lines - MAX_LINES} more`);
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new BadInput(`${name} must be a whole number from ${least}, not ${JSON.stringify(text)}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
