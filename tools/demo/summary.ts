import type { Totals } from "./ledger.js";

export interface Share {
  readonly name: string;
  readonly received: number;
}

export interface Outcome {
  readonly events: number;
  readonly totals: Totals;
  readonly shares: readonly Share[];
  readonly seconds: number;
  /** Why the demo was broken off. */
  readonly failure: string | undefined;
}

/** What is wrong with the outcome; empty if nothing is. */
export function faultsOf({ events, totals, shares, failure }: Outcome): readonly string[] {
  const faults = failure === undefined ? [] : [failure];
  if (totals.posted < events) faults.push(`${events - totals.posted} events were not posted`);
  if (totals.lost > 0) faults.push(`${totals.lost} events were lost`);
  for (const { name, received } of shares) if (received === 0) faults.push(`${name} received nothing`);
  return faults;
}

export function summaryOf({ totals, shares, seconds }: Outcome): string {
  const { posted, received, distinct, duplicates, lost, foreign } = totals;
  const rows: [string, string | number][] = Object.entries({ posted, received, distinct, duplicates, lost });
  if (foreign > 0) rows.push(["left by earlier demos", foreign]);
  rows.push(...shares.map((share): [string, number] => [share.name, share.received]), ["seconds", seconds.toFixed(1)]);
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `  ${label.padEnd(width)}  ${String(value).padStart(9)}`).join("\n");
}
