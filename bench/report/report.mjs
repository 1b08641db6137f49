import { cellsOf, sizeName } from "../growth/growth-table.mjs";
import { prosePart } from "./prose.mjs";
import { linesOf, short, verdictLine } from "./table.mjs";

/** @typedef {import("./judge.mjs").Result} Result */
/** @typedef {import("../growth/judge-growth.mjs").Growth} Growth */

/**
 * What a run of the bench wrote with --json, as far as it is used here.
 * @typedef {object} Measured
 * @property {string} date
 * @property {{ cpu: string, cores: number, gigabytes: number, kernel: string, node: string }} machine
 * @property {Record<string, string | undefined>} versions
 * @property {readonly Result[]} results
 * @property {readonly Growth[]} growth
 */

const METHOD = `Written by \`npm run bench -- all --json FILE --report docs/PERFORMANCE.md\`; what stands between the marks of prose is written by
people and kept. How everything is measured, and what each subject does, is in [bench/README.md](../bench/README.md). In short: each
cell is a fresh process and an unused queue, warmed up; a round runs every subject once, in turn; a ratio is taken between the
cells of one round; the tables show the median over the rounds. The raw subject is the first row of its table, with the ratio 1.
Where rates are limited by something else (the broker, the disk, other processes), CPU per operation tells more.`;

/**
 * The report as Markdown.
 * @param {Measured} measured
 * @param {ReadonlyMap<string, string>} prose of the earlier report
 * @param {string} plots where they are, seen from the report
 */
export function reportOf({ date, machine, versions, results, growth }, prose, plots) {
  const left = new Map(prose);
  const part = (/** @type {string} */ name) => {
    const text = prosePart(name, left.get(name));
    left.delete(name);
    return text;
  };
  const sections = [
    "# Performance",
    METHOD,
    circumstances({ date, machine, versions }),
    part("summary"),
    ...(results.length === 0
      ? []
      : ["## Targets", targetsOf(results), part("targets"), "## Beside raw libraries and peers"]),
    ...results.flatMap((result) => [sectionOf(result), part(result.name)]),
    ...(growth.length === 0
      ? []
      : ["## Growth", GROWTH, ...growth.flatMap((each) => [growthOf(each, plots), part(each.name)])]),
    "## What was tried",
    part("tried"),
    // Nobody's words are dropped because a table is gone.
    ...[...left].map(([name, text]) => prosePart(name, text)),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function circumstances({ date, machine, versions }) {
  const { cpu, cores, gigabytes, kernel, node } = machine;
  const named = Object.entries(versions).filter(([, version]) => version !== undefined);
  return [
    `${date} · ${cores} cores (${cpu}), ${gigabytes} GiB, Linux ${kernel}, Node.js ${node}.`,
    `Versions: ${named.map(([name, version]) => `${name} ${version}`).join(", ")}.`,
  ].join("\n");
}

function targetsOf(/** @type {readonly Result[]} */ results) {
  const rows = results.flatMap(({ title, verdicts }) =>
    verdicts.map(({ id, says, value, bound, isLeast, isMet }) => [
      id,
      title,
      says,
      value === undefined ? "–" : short(value),
      `${isLeast ? "≥" : "≤"} ${short(bound)}`,
      value === undefined ? "**not measured**" : isMet ? "met" : "**not met**",
    ]),
  );
  rows.sort(([one], [other]) => Number(one.slice(1)) - Number(other.slice(1)));
  return markdownTable([["target", "work", "measure", "found", "wanted", ""], ...rows], 3);
}

function sectionOf(/** @type {Result} */ { title, rows, verdicts, failures }) {
  return [
    `### ${capitalized(title)}`,
    markdownTable(linesOf(rows), 1),
    [...verdicts.map(verdictLine), ...failures.map((failure) => `failed: ${failure.split("\n", 1)[0]}`)]
      .map((line) => `- ${line}`)
      .join("\n"),
  ].join("\n\n");
}

const GROWTH = `One pass, each point in a process of its own. The slope is the exponent over the two largest decades: 0, and it stays as it
is; 1, and it grows in proportion. CPU of one operation may not grow with how many others there are (slope 0), memory and p99
at most in proportion (slope 1); 0.25 is added for noise and caches. p99 of callers that wait for each other grows in proportion
on any machine: they share its cores.`;

function growthOf(/** @type {Growth} */ { name, title, unit, sizes, lines, failures }, /** @type {string} */ plots) {
  const header = ["subject", `measure, by ${unit}`, ...sizes.map(sizeName), "slope", "allowed", ""];
  return [
    `### ${capitalized(title)}`,
    `![${title}](${plots}/${name}.svg)`,
    markdownTable([header, ...lines.map(cellsOf)], 2),
    ...failures.map((failure) => `- failed: ${failure.split("\n", 1)[0]}`),
  ].join("\n\n");
}

const capitalized = (/** @type {string} */ text) => text.charAt(0).toUpperCase() + text.slice(1);

/**
 * @param {readonly (readonly string[])[]} lines the names of the columns first
 * @param {number} texts how many columns are text; the others are numbers
 */
function markdownTable([header, ...rows], texts) {
  const line = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = header.map((_, index) => (index < texts ? "---" : "---:"));
  return [line(header), line(rule), ...rows.map(line)].join("\n");
}
