import type { LoadLedger, LoadTotals } from "./load-ledger.js";

/** What `--json` prints. Numbers of events, but for the times. */
export interface LoadResult extends Omit<LoadTotals, "outstanding"> {
  /** Of other clients, or of runs beside this one: refused, so that they come again. */
  readonly foreign: number;
  /** Of this tool, from well before this run: taken away. */
  readonly leftOver: number;
  /** The server could not be told of so many receipts: these events come again. */
  readonly acksFailed: number;
  /** From the first try of the post to the first receipt. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly seconds: number;
}

type Others = Pick<LoadResult, "seconds" | "foreign" | "leftOver" | "acksFailed">;

export function loadResult(ledger: LoadLedger, { seconds, ...others }: Others): LoadResult {
  const { outstanding, lost, ...totals } = ledger.totals;
  const [p50Ms, p99Ms] = [ledger.latencyMs(0.5) ?? null, ledger.latencyMs(0.99) ?? null];
  return { ...totals, lost: lost + outstanding, ...others, p50Ms, p99Ms, seconds: Math.round(seconds * 10) / 10 };
}

export function progressLine(ledger: LoadLedger, perSecond: number): string {
  const { posted, received, outstanding, duplicates, notPosted, lost } = ledger.totals;
  const latency = `p50 ${shown(ledger.latencyMs(0.5))}, p99 ${shown(ledger.latencyMs(0.99))}`;
  const counts = `${posted} posted (${perSecond}/s), ${received} received, ${outstanding} outstanding`;
  return `${counts}, ${latency}, ${duplicates} duplicates, ${notPosted} not posted, ${lost} lost so far`;
}

export function resultLine(result: LoadResult): string {
  const { posted, notPosted, unknown, received, duplicates, lost, p50Ms, p99Ms, longestGapMs, seconds } = result;
  const counts = `${posted} posted, ${received} received, ${duplicates} duplicates, ${lost} lost`;
  const failed = `${notPosted} not posted, ${unknown} unknown`;
  const times = `p50 ${shown(p50Ms)}, p99 ${shown(p99Ms)}, longest gap ${shown(longestGapMs)}, ${seconds} s`;
  const others = [
    result.foreign > 0 ? `${result.foreign} of others refused` : "",
    result.leftOver > 0 ? `${result.leftOver} left over from before` : "",
    result.acksFailed > 0 ? `${result.acksFailed} acks failed` : "",
  ];
  return [counts, failed, times, ...others.filter((text) => text !== "")].join("; ");
}

function shown(ms: number | null | undefined): string {
  return ms === null || ms === undefined ? "-" : `${ms} ms`;
}
