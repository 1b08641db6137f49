import { describe, it } from "vitest";
import { type AdapterHarness, contractTests, runCase, verifiedCases } from "../../../src/contract/index.js";

/** For a case with patient deadlines on a slow machine. */
const LIMIT_MS = 180_000;

/** Most of the time of the cases is waiting: they run side by side, each on a broker of its own. */
export function runContract(createHarness: () => AdapterHarness): void {
  const harness = createHarness();
  const cases = new Map(verifiedCases(harness).map((subject) => [`${subject.id} ${subject.sentence}`, subject]));
  const register = (name: string): void => {
    const subject = cases.get(name);
    if (subject === undefined) throw new Error(`there is no case ${name}`);
    it.concurrent(name, () => runCase(subject, createHarness()), LIMIT_MS);
  };
  contractTests({ describe, it: register }, harness);
}
