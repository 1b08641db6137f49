#!/usr/bin/env node
import { Command } from "commander";
import { runProgram } from "../program/run-program.js";
import { runDemo } from "./demo.js";
import { addDemoFlags, resolveDemoOptions } from "./demo-options.js";
import { faultsOf, summaryOf } from "./summary.js";

const command = addDemoFlags(new Command("npm run demo"))
  .usage("[-- options]")
  .description(
    "Starts real servers, subscribes, posts, acknowledges, and counts. Exits with 0 only if nothing is lost.",
  )
  .allowExcessArguments(false);

await runProgram(command, async (stopped) => {
  const options = resolveDemoOptions(command.opts());
  const startedAt = Date.now();
  const say = (line: string): void => {
    const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1);
    process.stdout.write(`${seconds.padStart(6)} s  ${line}\n`);
  };
  const outcome = await runDemo(options, say, stopped);
  const faults = faultsOf(outcome);
  process.stdout.write(`\n${summaryOf(outcome)}\n\n`);
  process.stdout.write(faults.length === 0 ? "nothing was lost\n" : `FAILED: ${faults.join("; ")}\n`);
  return faults.length === 0 ? 0 : 1;
});
