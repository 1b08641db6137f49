import { accessSync, constants, existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { comparisonsOf, curvesOf } from "./benches.mjs";
import { findBroker } from "./broker/broker.mjs";
import { BASE, compare } from "./cells/compare.mjs";
import { describeMachine } from "./cells/machine.mjs";
import { removeAtExit } from "./cells/remove-at-exit.mjs";
import { growthTable } from "./growth/growth-table.mjs";
import { chosenOf, needsBroker, runGrowth } from "./growth/run-growth.mjs";
import { readOptions, USAGE } from "./options.mjs";
import { judge, ratioOf } from "./report/judge.mjs";
import { summaryOf } from "./report/summary.mjs";
import { short, tableOf } from "./report/table.mjs";
import { writeReport } from "./report/write-report.mjs";

const { dependencies } = JSON.parse(readFileSync(new URL("./package.json", import.meta.url), "utf8"));
const path = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));

/** @returns {never} */
function giveUp(/** @type {string} */ text) {
  process.stderr.write(`bench: ${text}\n`);
  process.exit(2);
}

function optionsOrUsage() {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    return giveUp(`${error.message}\n${USAGE}`);
  }
}

/** Half an hour of measuring is not to end with a file that cannot be written. */
function checkWritable(/** @type {string} */ option, /** @type {string | undefined} */ file) {
  if (file === undefined) return;
  try {
    if (existsSync(file) && statSync(file).isDirectory()) throw new Error("it is a directory");
    accessSync(existsSync(file) ? file : dirname(file), constants.W_OK);
  } catch (error) {
    giveUp(`${option}: ${file} cannot be written (${error.message})`);
  }
}

/** @param {string | undefined} url */
async function brokerOrGiveUp(url) {
  try {
    return await findBroker(url);
  } catch (error) {
    const [reason] = String(error?.message || error?.code || error).split("\n", 1);
    if (url === undefined) return giveUp(`no RabbitMQ could be started (${reason}): give one by --broker amqp://…`);
    return giveUp(`--broker: no RabbitMQ answers at ${url.replace(/\/\/[^@/]*@/, "//")} (${reason})`);
  }
}

function progress(/** @type {string} */ name, /** @type {number} */ rounds) {
  return (subject, round, outcome) => {
    const said = outcome instanceof Error ? "failed" : `${short(outcome.perSecond)}/s, ${short(outcome.cpuMicros)} µs`;
    process.stderr.write(`${name} ${round + 1}/${rounds} ${subject}: ${said}\n`);
  };
}

/** How this build stands beside the other one. */
function baseLine(/** @type {string} */ ours, outcomes) {
  const ratio = (/** @type {string} */ key) => ratioOf(key, outcomes.get(ours), outcomes.get(BASE))?.toFixed(2) ?? "–";
  return `  beside the other build: rate ${ratio("perSecond")}, CPU ${ratio("cpuMicros")}, server CPU ${ratio("serverMicros")}\n`;
}

/** What can be judged: a broker elsewhere does not say how much memory it has. */
function judgeable(/** @type {import("./report/judge.mjs").Comparison} */ comparison, isPrivate) {
  if (isPrivate || !comparison.needsFreshBroker) return comparison;
  const targets = comparison.targets.filter(({ measure }) => measure !== "brokerMegabytes");
  return { ...comparison, targets };
}

const options = optionsOrUsage();
if (!existsSync(path("./node_modules"))) giveUp("its packages are missing: run npm ci --prefix bench");
if (!existsSync(path("../dist"))) giveUp("Fairlead is not built: run npm ci, or npm run build");
checkWritable("--json", options.json);
checkWritable("--report", options.report);
const { rounds, subjects, base } = options;
const isChosen = (/** @type {string} */ subject) => subjects?.includes(subject) ?? true;
const allComparisons = (await Promise.all(options.names.map(comparisonsOf))).flat();
const allCurves = (await Promise.all(options.names.map(curvesOf))).flat();
const comparisons = allComparisons.filter((comparison) => comparison.subjects.some(isChosen));
const curves = allCurves.filter((curve) => curve.subjects.some(isChosen));

const known = new Set([...allComparisons, ...allCurves].flatMap((each) => each.subjects));
const strangers = subjects?.filter((name) => !known.has(name)) ?? [];
if (strangers.length > 0) giveUp(`--subjects: none of these tables has ${strangers.join(", ")}`);

const directory = mkdtempSync(join(tmpdir(), "fairlead-bench-"));
removeAtExit(directory);

const isPrivate = options.broker === undefined;
const needsOne =
  comparisons.some((comparison) => comparison.needsBroker && !(isPrivate && comparison.needsFreshBroker)) ||
  curves.some((curve) => needsBroker(chosenOf(curve, subjects)));
const broker = needsOne ? await brokerOrGiveUp(options.broker) : undefined;
let version = broker?.version;
async function startBroker() {
  const started = await findBroker(undefined);
  ({ version } = started);
  return started;
}
const results = [];
const growth = [];
const cells = {};
try {
  for (const each of comparisons) {
    const comparison = judgeable(each, isPrivate);
    const onOutcome = progress(comparison.name, Math.min(rounds, comparison.maxRounds ?? rounds));
    const circumstances = { rounds, subjects, base, directory, broker, onOutcome };
    const outcomes = await compare(comparison, isPrivate ? { ...circumstances, startBroker } : circumstances);
    const result = judge(comparison, outcomes);
    results.push(result);
    cells[comparison.name] = Object.fromEntries(
      [...outcomes].map(([subject, of]) => [subject, of.map((each) => (each instanceof Error ? each.message : each))]),
    );
    process.stdout.write(`\n${tableOf(result)}\n`);
    if (comparison !== each) process.stdout.write("  not judged: growth of the broker, which --broker does not show\n");
    if (outcomes.has(BASE)) process.stdout.write(baseLine(result.ours, outcomes));
  }
  for (const curve of curves) {
    const grown = await runGrowth(curve, { directory, broker, subjects, onOutcome: progress(curve.name, 1) });
    growth.push(grown);
    process.stdout.write(`\n${growthTable(grown)}\n`);
  }
} finally {
  await broker?.stop();
}
const versions = { ...dependencies, rabbitmq: version };
const circumstances = { date: new Date().toISOString().slice(0, 10), machine: describeMachine(), versions };
const summary = { ...circumstances, rounds, ...summaryOf(results, growth) };
process.stdout.write(`\n${JSON.stringify(summary)}\n`);
const measured = { ...summary, results, growth, cells };
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(measured, null, 2)}\n`);
if (options.report !== undefined) writeReport(options.report, [measured]);
const isAnythingMeasured =
  results.some(({ rows }) => rows.some(({ runs }) => runs > 0)) ||
  growth.some(({ lines }) => lines.some(({ values }) => values.some((value) => value !== undefined)));
if (!isAnythingMeasured) giveUp("nothing could be measured");
// A target that is missed is a result, and so is a peer that fails; what could not be judged is a failure.
const judged = [
  ...results.flatMap(({ verdicts }) => verdicts.map(({ value }) => value)),
  ...growth.flatMap(({ lines }) => lines.map(({ slope }) => slope)),
];
process.exit(judged.includes(undefined) ? 1 : 0);
