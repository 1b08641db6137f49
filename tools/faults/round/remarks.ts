import type { FaultOutcome } from "./scenario.js";

export interface Remarks {
  readonly notes: string[];
  readonly violations: string[];
}

/** Notes come first, so that a table that shows a few of them shows these. */
export function withRemarks(outcome: FaultOutcome, { notes, violations }: Remarks): FaultOutcome {
  return {
    ...outcome,
    notes: [...notes, ...outcome.notes],
    violations: [...violations, ...outcome.violations],
  };
}

/** "recovered in 120 to 640 ms (8 times)". */
export function range(what: string, values: readonly number[]): readonly string[] {
  if (values.length === 0) return [];
  const [least, most] = [Math.round(Math.min(...values)), Math.round(Math.max(...values))];
  const span = least === most ? `${least} ms` : `${least} to ${most} ms`;
  return [`${what} ${span}${values.length > 1 ? ` (${values.length} times)` : ""}`];
}
