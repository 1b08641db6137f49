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
    const title = contractTitle(suite.name);
    if (title !== undefined) runs.push({ ...title, ...tallyOf(suite, selectedByName) });
  }
  return runs;
}

/** What the title of a contract run says; undefined for that of any other suite. */
export function contractTitle(title: string): Pick<ContractRun, "name" | "notVerified"> | undefined {
  const groups = TITLE.exec(title)?.groups;
  if (groups === undefined) return undefined;
  return { name: groups.name ?? title, notVerified: groups.ids?.split(" ").filter((id) => id !== "") ?? [] };
}

function brokenOutsideTests(part: TestModule | TestSuite): number {
  let broken = part.errors().length > 0 ? 1 : 0;
  for (const suite of part.children.allSuites()) if (suite.errors().length > 0) broken += 1;
  return broken;
}
