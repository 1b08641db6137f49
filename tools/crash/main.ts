#!/usr/bin/env node
import { Command } from "commander";
import { runProgram } from "../program/run-program.js";
import { crash } from "./crash.js";
import { addCrashFlags, resolveCrashOptions } from "./crash-options.js";
import { crashFaults, crashSummary } from "./crash-summary.js";

const command = addCrashFlags(new Command("npm run crash"))
  .usage("[-- options]")
  .description(
    "Posts and receives while servers are killed at random moments and started again. Exits with 0 only if nothing is lost.",
  )
  .allowExcessArguments(false);

await runProgram(command, async (stopped) => {
  const options = resolveCrashOptions(command.opts());
  const startedAt = Date.now();
  const say = (line: string): void => {
    const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1);
    process.stdout.write(`${seconds.padStart(6)} s  ${line}\n`);
  };
  const outcome = await crash(options, say, stopped);
  const faults = crashFaults(outcome);
  process.stdout.write(`\n${crashSummary(outcome)}\n\n`);
  process.stdout.write(faults.length === 0 ? "nothing was lost\n" : `FAILED: ${faults.join("; ")}\n`);
  return faults.length === 0 ? 0 : 1;
});
