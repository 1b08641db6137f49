import type { FaultResult } from "./run-faults.js";

const MOST_CHARACTERS = 300;

/** What failed, in few words: a line that names the rounds, then one for each thing that did not hold, and for each remark on it. */
export function failedRounds(results: readonly FaultResult[]): readonly string[] {
  const failed = results.filter(({ held }) => !held);
  if (failed.length === 0) return [];
  const name = ({ id, title, adapter, round }: FaultResult): string => `${id} ${title}, ${adapter}, round ${round}`;
  return [
    `FAILED: ${failed.length} of ${results.length} rounds: ${failed.map(name).join("; ")}`,
    ...failed.flatMap((result) => {
      const { lost, stuck, unsettled, violations, notes } = result.outcome;
      const said = [...violations, `lost ${lost}, stuck ${stuck}, unsettled ${unsettled}`, ...notes];
      return said.map((text) => `  ${result.id} ${result.adapter}: ${text.slice(0, MOST_CHARACTERS)}`);
    }),
  ];
}
