import type { Reporter, SerializedError, TestModule, Vitest } from "vitest/node";
import { type ContractRun, contractRunsOf, type Tally, tallyOf } from "./tally.js";

/**
 * One line per file, what failed, a table of the contract runs, and as the last line of the process
 * `N passed, N failed`. What was skipped, and what broke outside the tests, has failed.
 */
export function createReporter(): Reporter {
  const startedAt = Date.now();
  const contractRuns: ContractRun[] = [];
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
    onUserConsoleLog(log) {
      (log.type === "stderr" ? process.stderr : process.stdout).write(log.content);
    },
    onTestModuleEnd(module) {
      const tally = tallyOf(module, selectedByName());
      const seconds = (module.diagnostic().duration / 1_000).toFixed(1);
      print(`${tally.failed === 0 ? "ok  " : "FAIL"} ${module.relativeModuleId}  ${tallyText(tally)}  ${seconds} s`);
      contractRuns.push(...contractRunsOf(module, selectedByName()));
      printFailures(module);
    },
    onTestRunEnd(modules, unhandledErrors, reason) {
      for (const error of unhandledErrors) vitest?.logger.printError(error, { type: "Unhandled error" });
      total = totalOf(modules, unhandledErrors, reason);
      printContractRuns(contractRuns);
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

  function printFailures(module: TestModule): void {
    const project = module.project;
    const show = (name: string, errors: readonly SerializedError[]): void => {
      if (errors.length > 0) print(`\n     ${name}`);
      for (const error of errors) vitest?.logger.printError(error, { project });
    };
    show(module.relativeModuleId, module.errors());
    for (const suite of module.children.allSuites()) show(suite.fullName, suite.errors());
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === "failed") show(`failed: ${test.fullName}`, result.errors);
      if (result.state === "skipped" && !selectedByName())
        print(`     skipped, which counts as failed: ${test.fullName}`);
    }
  }
}

function printContractRuns(runs: readonly ContractRun[]): void {
  if (runs.length === 0) return;
  print("\nContract runs");
  const width = Math.max(...runs.map(({ name }) => name.length));
  for (const run of runs) {
    const open = run.notVerified.length === 0 ? "" : `, not verified: ${run.notVerified.join(" ")}`;
    print(`  ${run.name.padEnd(width)}  ${tallyText(run)}${open}`);
  }
}

function tallyText({ passed, failed }: Tally): string {
  return `${passed} passed, ${failed} failed`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
