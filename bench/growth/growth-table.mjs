import { short } from "../report/table.mjs";

/** @typedef {import("./judge-growth.mjs").Growth} Growth */
/** @typedef {import("./judge-growth.mjs").Line} Line */

/** One line for each subject and measure: what it is at each size, and how steeply it grows at the end. */
export function growthTable(/** @type {Growth} */ { title, unit, sizes, lines, failures }) {
  const header = ["subject", "measure", ...sizes.map(sizeName), "slope", "most", ""];
  const rows = [header, ...lines.map(cellsOf)];
  const widths = header.map((_, index) => Math.max(...rows.map((row) => row[index].length)));
  const text = rows.map((row) =>
    row.map((cell, index) => (index < 2 ? cell.padEnd(widths[index]) : cell.padStart(widths[index]))).join("  "),
  );
  const failed = failures.map((failure) => `failed: ${failure.replaceAll("\n", "\n    ")}`);
  return [`growth: ${title} (${unit})`, ...[...text, ...failed].map((line) => `  ${line}`)].join("\n");
}

export function cellsOf(/** @type {Line} */ { subject, says, values, slope, most, isMet }) {
  const cells = values.map((value) => (value === undefined ? "–" : short(value)));
  const judged = most === undefined ? ["–", "shown"] : [most.toFixed(2), wordOf(slope, isMet)];
  return [subject, says, ...cells, slope?.toFixed(2) ?? "–", ...judged];
}

function wordOf(/** @type {number | undefined} */ slope, /** @type {boolean} */ isMet) {
  if (slope === undefined) return "not measured";
  return isMet ? "ok" : "WORSE";
}

const UNITS = /** @type {const} */ ([
  [1_048_576, "Mi"],
  [1_000_000, "M"],
  [1_000, "k"],
]);

/** 10000 as 10k, 1048576 as 1Mi. */
export function sizeName(/** @type {number} */ size) {
  const [unit, name] = UNITS.find(([each]) => size >= each && size % each === 0) ?? [1, ""];
  return `${size / unit}${name}`;
}
