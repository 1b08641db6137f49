import type { TestModule, TestSuite } from "vitest/node";

export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** One run of the contract suite over one adapter. */
export interface ContractRun extends Tally {
  readonly name: string;
  /** Ids of the promises that this run says nothing about. */
  readonly notVerified: readonly string[];
}

const TITLE = /^contract: (?<name>.*?)(?: \(not verified: (?<ids>[^)]*)\))?$/;

/**
 * A test that was skipped has failed: nothing is left out in silence. It has not where tests were selected by name. A
 * module or suite that broke outside its tests counts as one more failure.
 */
export function tallyOf(part: TestModule | TestSuite, selectedByName: boolean): Tally {
  let passed = 0;
  let failed = 0;
  for (const test of part.children.allTests()) {
    const { state } = test.result();
    if (state === "passed") passed += 1;
    else if (state !== "skipped" || !selectedByName) failed += 1;
  }
  failed += brokenOutsideTests(part);
  return { passed, failed };
}

export function contractRunsOf(module: TestModule, selectedByName: boolean): readonly ContractRun[] {
  const runs: ContractRun[] = [];
  for (const suite of module.children.suites()) {
    const groups = TITLE.exec(suite.name)?.groups;
    if (groups === undefined) continue;
    runs.push({
      name: groups.name ?? suite.name,
      notVerified: groups.ids?.split(" ").filter((id) => id !== "") ?? [],
      ...tallyOf(suite, selectedByName),
    });
  }
  return runs;
}

function brokenOutsideTests(part: TestModule | TestSuite): number {
  let broken = part.errors().length > 0 ? 1 : 0;
  for (const suite of part.children.allSuites()) if (suite.errors().length > 0) broken += 1;
  return broken;
}
