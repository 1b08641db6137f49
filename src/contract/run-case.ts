import type { ContractCase } from "./case.js";
import { ContractContext } from "./context.js";
import type { AdapterHarness } from "./harness.js";
import { settlesWithin } from "./probe.js";

/** Every wait inside has its own, shorter deadline; this one is for a case that loops. */
const CASE_LIMIT_MS = 30_000;

/** Runs one case and closes what it opened. Rejects with the case's own failure before one of the closing. */
export async function runCase(subject: ContractCase, harness: AdapterHarness): Promise<void> {
  const context = new ContractContext(harness);
  const limitMs = (subject.limitMs ?? CASE_LIMIT_MS) * Math.max(1, harness.timeScale ?? 1);
  let failure: { readonly error: unknown } | undefined;
  try {
    await settlesWithin(subject.run(context), limitMs, subject.id);
  } catch (error) {
    failure = { error };
  }
  try {
    await context.end();
  } catch (error) {
    failure ??= { error };
  }
  if (failure !== undefined) throw failure.error;
}
