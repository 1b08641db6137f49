import { appliesTo, type ContractCase, missingNeeds, type Need } from "./case.js";
import { contractCases, contractFamilies } from "./cases.js";
import type { AdapterHarness, TestRunner } from "./harness.js";
import { runCase } from "./run-case.js";

export interface NotVerified {
  readonly id: string;
  readonly sentence: string;
  /** What the harness lacks. */
  readonly missing: readonly Need[];
}

/** The cases for an adapter with these capabilities, as far as the harness can provoke what they need. */
export function verifiedCases(harness: AdapterHarness): readonly ContractCase[] {
  return contractCases.filter(
    (subject) => appliesTo(subject, harness.capabilities) && missingNeeds(subject, harness).length === 0,
  );
}

/** The promises that a run with this harness says nothing about: neither passed nor failed. */
export function notVerified(harness: AdapterHarness): readonly NotVerified[] {
  return contractCases
    .filter((subject) => appliesTo(subject, harness.capabilities))
    .map((subject) => ({ id: subject.id, sentence: subject.sentence, missing: missingNeeds(subject, harness) }))
    .filter(({ missing }) => missing.length > 0);
}

/**
 * Registers one test for each promise that applies to the adapter. The ids of promises that the harness cannot put to
 * the test are named in the title of the run, and there is no test for them.
 */
export function contractTests(runner: TestRunner, harness: AdapterHarness): void {
  const cases = new Set(verifiedCases(harness));
  const open = notVerified(harness).map(({ id }) => id);
  const title = `contract: ${harness.name}`;
  runner.describe(open.length === 0 ? title : `${title} (not verified: ${open.join(" ")})`, () => {
    for (const family of contractFamilies) {
      const members = family.cases.filter((subject) => cases.has(subject));
      if (members.length === 0) continue;
      runner.describe(family.title, () => {
        for (const subject of members) {
          runner.it(`${subject.id} ${subject.sentence}`, () => runCase(subject, harness));
        }
      });
    }
  });
}
