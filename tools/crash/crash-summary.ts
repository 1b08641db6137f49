import type { CrashOutcome } from "./crash.js";
import type { StuckEvents } from "./stuck-events.js";

export function crashSummary({ kills, load, swept, stuck, deaths, seconds }: CrashOutcome): string {
  const rows: readonly (readonly [string, string | number])[] = [
    ["kills", kills],
    ["posted", load?.posted ?? "-"],
    ["received", load?.received ?? "-"],
    ["duplicates", load === undefined ? "-" : load.duplicates + swept],
    ["lost", load?.lost ?? "-"],
    ["stuck", stuck === undefined ? "-" : stuckText(stuck)],
    ["died", deaths.length],
    ["longest gap", load === undefined ? "-" : `${load.longestGapMs} ms`],
    ["time", `${seconds.toFixed(1)} s`],
  ];
  return rows.map(([name, value]) => `${name.padEnd(12)} ${value}`).join("\n");
}

/** Why the run has failed; empty if it has not. */
export function crashFaults({ load, stuck, deaths, failure }: CrashOutcome): readonly string[] {
  const faults = failure === undefined ? [...deaths] : [...deaths, failure];
  if (load === undefined) return faults.length === 0 ? ["there is no result"] : faults;
  if (load.lost > 0) faults.push(`${load.lost} events were posted and never received`);
  if (load.notPosted > 0) faults.push(`${load.notPosted} events were refused for good`);
  if (load.unknown > 0) faults.push(`${load.unknown} events could not be posted`);
  if (stuck !== undefined && stuck.seen > 0) faults.push(`${stuck.seen} events are stuck in the queue`);
  if (stuck !== undefined && stuck.givenUp > 0) faults.push(`${stuck.givenUp} events were given up`);
  if (load.posted === 0) faults.push("nothing was posted");
  return faults;
}

/** Where the broker does not tell all, the long silence before stands for what it does not tell. */
function stuckText({ seen, givenUp, notTold, quietMs }: StuckEvents): string {
  if (notTold.length === 0) return `${seen + givenUp}`;
  const others = givenUp > 0 ? `; ${givenUp} given up` : "";
  return `ready ${seen}${others}; not told: ${notTold.join(", ")}; nothing came for ${quietMs / 1_000} s`;
}
