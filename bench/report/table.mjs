/** @typedef {import("./judge.mjs").Row} Row */
/** @typedef {import("./judge.mjs").Verdict} Verdict */
/** @typedef {import("./judge.mjs").Result} Result */

const ROUND_FROM = 100;

/** A number as short as it can be read. */
export function short(/** @type {number} */ value) {
  if (Math.abs(value) >= ROUND_FROM) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(Math.abs(value) < 10 ? 2 : 1);
}

/** @param {string} key */
const measure =
  (key) =>
  (/** @type {Row} */ { measures }) =>
    measures[key] && short(measures[key].median);
/** @param {string} key */
const ratio =
  (key) =>
  (/** @type {Row} */ { ratios }) =>
    ratios[key]?.median.toFixed(2);

/** @type {readonly (readonly [string, (row: Row) => string | undefined])[]} */
const COLUMNS = [
  ["subject", ({ subject }) => subject],
  ["per second", measure("perSecond")],
  ["least–most", ({ measures: { perSecond } }) => perSecond && `${short(perSecond.least)}–${short(perSecond.most)}`],
  ["ratio", ratio("perSecond")],
  ["CPU µs/op", measure("cpuMicros")],
  ["ratio", ratio("cpuMicros")],
  ["server µs/op", measure("serverMicros")],
  ["ratio", ratio("serverMicros")],
  ["p50 ms", measure("p50Ms")],
  ["p99 ms", measure("p99Ms")],
  ["first ms", measure("firstMs")],
  ["client MB", measure("clientMegabytes")],
  ["server MB", measure("serverMegabytes")],
  ["broker MB", measure("brokerMegabytes")],
  ["foreign cores", measure("foreignCores")],
  ["failed", ({ failed, runs }) => (failed === 0 ? undefined : `${failed} of ${failed + runs}`)],
];

/**
 * The names of the columns that have something to say, then the cells of each row.
 * @param {readonly Row[]} rows
 * @returns {readonly (readonly string[])[]}
 */
export function linesOf(rows) {
  const columns = COLUMNS.filter(([, read]) => rows.some((row) => read(row) !== undefined));
  return [columns.map(([name]) => name), ...rows.map((row) => columns.map(([, read]) => read(row) ?? "–"))];
}

/**
 * The table, and a line for each target.
 * @param {Result} result
 * @returns {string}
 */
export function tableOf({ title, rows, verdicts, failures }) {
  const lines = linesOf(rows);
  const widths = lines[0].map((_, index) => Math.max(...lines.map((line) => line[index].length)));
  const text = lines.map((line) =>
    line.map((cell, index) => (index === 0 ? cell.padEnd(widths[index]) : cell.padStart(widths[index]))).join("  "),
  );
  return [title, ...text, ...verdicts.map(verdictLine), ...failures.map((failure) => `failed: ${failure}`)]
    .map((line, index) => (index === 0 ? line : `  ${line.replaceAll("\n", "\n    ")}`))
    .join("\n");
}

/** `P1 not met: rate, to raw 1.02 (at least 1.10; 0.08 short)` */
export function verdictLine(/** @type {Verdict} */ { id, says, value, bound, isLeast, isMet }) {
  const limit = `${isLeast ? "at least" : "at most"} ${short(bound)}`;
  if (value === undefined) return `${id} not met: ${says} was not measured in every round (${limit})`;
  const miss = isMet ? "" : `; ${short(Math.abs(bound - value))} ${isLeast ? "short" : "too much"}`;
  return `${id} ${isMet ? "met" : "not met"}: ${says} ${short(value)} (${limit}${miss})`;
}
