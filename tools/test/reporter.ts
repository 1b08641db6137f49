import type { Reporter, SerializedError, TestModule, Vitest } from "vitest/node";
import { failureDetails, failureLine, failureSummary } from "./failure-text.js";
import { type Failure, failuresOf, unhandledFailure } from "./failures.js";
import { idRanges } from "./id-ranges.js";
import { type ContractRun, contractRunsOf, type Tally, tallyOf } from "./tally.js";

/** Whoever runs so few files wants to see all that their errors say. */
const FEW_FILES = 5;
/** What breaks everywhere is told in detail so often, that what else is printed can be found. */
const MOST_DETAILED = 6;

/**
 * One line per file, one for each that failed, a table of the contract runs, all that failed once more in few words, and
 * as the last line of the process `N passed, N failed`. What was skipped, and what broke outside the tests, has failed.
 */
export function createReporter(): Reporter {
  const startedAt = Date.now();
  const contractRuns: ContractRun[] = [];
  const failures: Failure[] = [];
  let showsErrors = false;
  let vitest: Vitest | undefined;
  // Until the run says otherwise, it broke.
  let total: Tally = { passed: 0, failed: 1 };

  const selectedByName = (): boolean => vitest?.config.testNamePattern !== undefined;

  return {
    onInit(context) {
      vitest = context;
      process.once("exit", () => {
        if (total.failed > 0 && !process.exitCode) process.exitCode = 1;
        print(tallyText(total));
      });
    },
    onTestRunStart(specifications) {
      showsErrors = specifications.length <= FEW_FILES;
    },
    onUserConsoleLog(log) {
      (log.type === "stderr" ? process.stderr : process.stdout).write(log.content);
    },
    onTestModuleEnd(module) {
      const tally = tallyOf(module, selectedByName());
      const seconds = (module.diagnostic().duration / 1_000).toFixed(1);
      print(`${tally.failed === 0 ? "ok  " : "FAIL"} ${module.relativeModuleId}  ${tallyText(tally)}  ${seconds} s`);
      contractRuns.push(...contractRunsOf(module, selectedByName()));
      for (const failure of failuresOf(module, selectedByName())) {
        failures.push(failure);
        print(`     ${failureLine(failure)}`);
        if (showsErrors) {
          for (const error of failure.errors) vitest?.logger.printError(error, { project: module.project });
        } else if (failures.length <= MOST_DETAILED) {
          for (const line of failureDetails(failure)) print(`       ${line}`);
        }
      }
    },
    onTestRunEnd(modules, unhandledErrors, reason) {
      for (const error of unhandledErrors) {
        vitest?.logger.printError(error, { type: "Unhandled error" });
        failures.push(unhandledFailure(error));
      }
      total = totalOf(modules, unhandledErrors, reason);
      printContractRuns(contractRuns);
      if (failures.length > 0) print(`\n${failureSummary(failures).join("\n")}`);
      print(`\n${modules.length} files in ${((Date.now() - startedAt) / 1_000).toFixed(1)} s`);
    },
  };

  function totalOf(modules: readonly TestModule[], errors: readonly SerializedError[], reason: string): Tally {
    const tallies = modules.map((module) => tallyOf(module, selectedByName()));
    const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0);
    const failed = tallies.reduce((sum, tally) => sum + tally.failed, errors.length);
    // No test at all, or a run that was broken off, is no success.
    const broken = failed === 0 && (passed === 0 || reason === "interrupted");
    return { passed, failed: broken ? 1 : failed };
  }
}

function printContractRuns(runs: readonly ContractRun[]): void {
  if (runs.length === 0) return;
  print("\nContract runs");
  const width = Math.max(...runs.map(({ name }) => name.length));
  for (const run of runs) {
    const open = run.notVerified.length === 0 ? "" : `, not verified: ${idRanges(run.notVerified).join(" ")}`;
    print(`  ${run.name.padEnd(width)}  ${tallyText(run)}${open}`);
  }
}

function tallyText({ passed, failed }: Tally): string {
  return `${passed} passed, ${failed} failed`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
