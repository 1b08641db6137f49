#!/usr/bin/env node
import { readFileSync, writeFileSync } from "node:fs";
import { Command } from "commander";
import { runProgram } from "../program/run-program.js";
import { failedRounds } from "./runner/failed-rounds.js";
import { describeMachine, describeRun, FaultDocument } from "./runner/fault-document.js";
import { faultTable } from "./runner/fault-table.js";
import { addFaultsFlags, resolveFaultsOptions } from "./runner/faults-options.js";
import { runFaults } from "./runner/run-faults.js";
import { SCENARIOS } from "./scenarios.js";

const command = addFaultsFlags(new Command("npm run faults"))
  .usage("[-- options]")
  .description(
    "Brokers and servers are killed, frozen, cut off and fed with nonsense, under load. Exits with 0 only if every round held.",
  )
  .allowExcessArguments(false);

const LINGER_MS = 500;
const PACKAGES = ["amqplib", "better-sqlite3", "@grpc/grpc-js"];

/** As they are pinned. */
function packageVersions(): readonly string[] {
  const text = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  const { dependencies, optionalDependencies } = JSON.parse(text) as Record<string, Record<string, string>>;
  const pinned = { ...dependencies, ...optionalDependencies };
  return PACKAGES.map((name) => `${name} ${pinned[name] ?? "of an unknown version"}`);
}

await runProgram(command, async (stopped) => {
  const options = resolveFaultsOptions(command.opts(), SCENARIOS);
  const startedAt = Date.now();
  const say = (line: string): void => {
    const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1);
    process.stdout.write(`${seconds.padStart(6)} s  ${line}\n`);
  };
  say(`--seed ${options.seed}`);
  const document = options.tableFile === undefined ? undefined : new FaultDocument(options.tableFile);
  const { results, rabbitmqVersion } = await runFaults(options, say, stopped);
  const table = faultTable(results);
  process.stdout.write(`\n${table}\n\n`);
  if (options.jsonFile !== undefined) {
    writeFileSync(options.jsonFile, `${JSON.stringify({ seed: options.seed, results }, undefined, 2)}\n`);
  }
  document?.write(
    describeRun({
      ...options,
      stoppedAfter: stopped.aborted ? results.length : undefined,
      startedAt: new Date(startedAt),
      seconds: (Date.now() - startedAt) / 1_000,
      machine: describeMachine(),
      versions: [
        ...(rabbitmqVersion === undefined ? [] : [`RabbitMQ ${rabbitmqVersion}`]),
        `Node.js ${process.versions.node}`,
        ...packageVersions(),
      ],
      ids: [...new Set(results.map(({ id }) => id))],
      table,
    }),
  );
  // Everything has ended by now; what has not must not keep this process, nor Node.js, which waits for ever for what a frozen
  // peer never took.
  setTimeout(() => process.exit(), LINGER_MS);
  const failed = failedRounds(results);
  if (stopped.aborted) {
    process.stdout.write(`FAILED: stopped by a signal after ${results.length} rounds\n`);
    return 1;
  }
  const lines = failed.length === 0 ? [`all ${results.length} rounds held`] : failed;
  process.stdout.write(`${lines.join("\n")}\n`);
  return failed.length === 0 ? 0 : 1;
});
