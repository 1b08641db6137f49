#!/usr/bin/env node
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { type ChildProgram, startProgram } from "./process/child-program.js";
import { createProcessGuard } from "./process/process-guard.js";
import { BadInput, runProgram } from "./program/run-program.js";
import { type RabbitmqNode, startRabbitmq } from "./rabbitmq/index.js";
import { BROKER_PROJECTS, RABBITMQ_STATE_VARIABLE } from "./test/broker-project.js";

const LIST_MS = 60_000;
const RUN_MS = 900_000;
const VITEST = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");

const command = new Command("npm run repeat")
  .usage("-- <times> <file>...")
  .description("Runs test files again and again, with one RabbitMQ node for all runs where they need one.")
  .argument("<times>")
  .argument("<file...>", "as vitest takes it: a path or a part of one");

await runProgram(command, async (stopped) => {
  const [timesText = "", ...files] = command.args;
  const times = /^\d+$/.test(timesText) ? Number(timesText) : 0;
  if (times < 1) throw new BadInput(`how many times must be a whole number from 1, not ${JSON.stringify(timesText)}`);

  const guard = createProcessGuard("repeat");
  const vitest = (...programArguments: string[]): ChildProgram =>
    startProgram(VITEST, programArguments, { guardDirectory: guard.directory });
  // Until the runs begin there is nothing to stop in order: what was started ends with this process.
  const endNow = (): void => process.exit(130);
  stopped.addEventListener("abort", endNow);
  const node = await startNodeIfNeeded(files, vitest);
  stopped.removeEventListener("abort", endNow);
  let passed = 0;
  let run = 0;
  try {
    while (run < times && !stopped.aborted) {
      run += 1;
      if (await runOnce(`run ${run} of ${times}`, vitest("run", ...files), stopped)) passed += 1;
      else await heal(node);
    }
  } finally {
    await node?.stop();
    await guard.release();
  }
  process.stdout.write(`${passed} passed, ${times - passed} failed\n`);
  return passed === times ? 0 : 1;
});

async function startNodeIfNeeded(
  files: readonly string[],
  vitest: (...programArguments: string[]) => ChildProgram,
): Promise<RabbitmqNode | undefined> {
  const list = vitest("list", "--filesOnly", ...files);
  const timer = setTimeout(() => void list.kill(), LIST_MS);
  const { exitCode } = await list.ended;
  clearTimeout(timer);
  if (exitCode !== 0) throw new Error(`vitest list failed: ${list.lines.slice(-5).join(" / ")}`);
  const selected = list.lines.filter((line) => line.endsWith(".test.ts"));
  if (selected.length === 0) throw new BadInput(`no test file matches ${files.join(" ")}`);
  const needsNode = BROKER_PROJECTS.some((project) => selected.some((line) => line.includes(`[${project}]`)));
  if (!needsNode) return undefined;
  const node = await startRabbitmq();
  process.env[RABBITMQ_STATE_VARIABLE] = node.stateFile;
  return node;
}

/** Prints a line for it, and everything it printed if it failed. */
async function runOnce(name: string, program: ChildProgram, stopped: AbortSignal): Promise<boolean> {
  const startedAt = Date.now();
  const end = (): void => void program.end();
  stopped.addEventListener("abort", end);
  const timer = setTimeout(end, RUN_MS);
  const { exitCode } = await program.ended;
  clearTimeout(timer);
  stopped.removeEventListener("abort", end);
  const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1);
  if (exitCode !== 0) process.stdout.write(`${program.lines.join("\n")}\n`);
  process.stdout.write(`${name}: ${program.lines.at(-1) ?? "printed nothing"}, ${seconds} s\n`);
  return exitCode === 0;
}

/** A run that failed may have left the shared node frozen or dead. */
async function heal(node: RabbitmqNode | undefined): Promise<void> {
  if (node === undefined) return;
  await node.thaw();
  if (!(await node.running())) await node.restart();
}
