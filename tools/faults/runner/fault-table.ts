import type { FaultResult } from "./run-faults.js";

const HEADS = [
  "K",
  "fault",
  "adapter",
  "rounds",
  "sent",
  "confirmed",
  "handled",
  "duplicates",
  "lost",
  "stuck",
  "unsettled",
  "longest gap",
  "remarks",
];
/** All but the texts stand on the right. */
const TEXTS = new Set(["K", "fault", "adapter", "remarks"]);
const MOST_REMARKS = 4;

/** One row for each scenario on each adapter, as Markdown: sums over its rounds, the longest gap, and what was remarked. */
export function faultTable(results: readonly FaultResult[]): string {
  const groups = new Map<string, FaultResult[]>();
  for (const result of results) {
    const key = `${result.id} ${result.title} ${result.adapter}`;
    const group = groups.get(key) ?? [];
    group.push(result);
    groups.set(key, group);
  }
  const rows = [HEADS, ...[...groups.values()].map(rowOf)];
  const widths = HEADS.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string => {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      // The last one is long, and nothing stands behind it.
      if (column === row.length - 1) return cell;
      return TEXTS.has(HEADS[column] ?? "") ? cell.padEnd(width) : cell.padStart(width);
    });
    return `| ${cells.join(" | ")} |`;
  };
  const rule = HEADS.map((head, column) => {
    const width = column === HEADS.length - 1 ? 3 : (widths[column] ?? 3);
    return TEXTS.has(head) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`;
  });
  return [line(HEADS), line(rule), ...rows.slice(1).map(line)].join("\n");
}

function rowOf(group: readonly FaultResult[]): readonly string[] {
  const [first] = group;
  if (first === undefined) return [];
  const sum = (count: (result: FaultResult) => number): string =>
    group.reduce((total, result) => total + count(result), 0).toLocaleString("en");
  const failed = group.filter(({ held }) => !held).length;
  const violations = group.flatMap(({ outcome }) => outcome.violations);
  const notes = new Set(group.flatMap(({ outcome }) => outcome.notes));
  const remarks = [
    ...(failed > 0 ? [`FAILED in ${failed} of ${group.length}`] : []),
    ...some(violations),
    ...some([...notes]),
  ];
  return [
    first.id,
    first.title,
    first.adapter,
    String(group.length),
    sum(({ outcome }) => outcome.sent),
    sum(({ outcome }) => outcome.confirmed),
    sum(({ outcome }) => outcome.handled),
    sum(({ outcome }) => outcome.duplicates),
    sum(({ outcome }) => outcome.lost),
    sum(({ outcome }) => outcome.stuck),
    sum(({ outcome }) => outcome.unsettled),
    `${(Math.max(...group.map(({ outcome }) => outcome.longestGapMs)) / 1_000).toFixed(2)} s`,
    remarks.map(inOneCell).join("; "),
  ];
}

function some(texts: readonly string[]): readonly string[] {
  const left = texts.length - MOST_REMARKS;
  return left > 0 ? [...texts.slice(0, MOST_REMARKS), `${left} more`] : texts;
}

function inOneCell(text: string): string {
  const [first = ""] = text.split("\n");
  // Where the round had its files says nothing to anybody.
  return first.replaceAll(/\S*\/fairlead-faults-[^\s/]+/g, "…").replaceAll("|", "\\|");
}
