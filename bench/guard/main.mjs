// Fails when Fairlead needs more CPU per operation, beside a raw library in the same run, than was recorded.
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compare } from "../cells/compare.mjs";
import { removeAtExit } from "../cells/remove-at-exit.mjs";
import { ALLOWED, findingOf, leastRatioOf, noiseOf, recordOf } from "./judge-guard.mjs";
import { readOptions, USAGE } from "./options.mjs";
import { WATCHED } from "./watched.mjs";

const RECORD_FILE = fileURLToPath(new URL("../guard.json", import.meta.url));
const RUNS_TO_RECORD = 3;
const CELL_LIMIT_MS = 30_000;
const percent = (/** @type {number} */ part) => `${part >= 0 ? "+" : ""}${(part * 100).toFixed(1)} %`;

/** @returns {never} */
function giveUp(/** @type {string} */ text) {
  process.stderr.write(`bench:guard: ${text}\n`);
  process.exit(2);
}

function print(/** @type {string} */ text) {
  process.stdout.write(`${text}\n`);
}

function optionsOrUsage() {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    return giveUp(`${error.message}\n${USAGE}`);
  }
}

const majorOf = (/** @type {string} */ version) => version.split(".", 1)[0];

function readRecord() {
  try {
    return JSON.parse(readFileSync(RECORD_FILE, "utf8"));
  } catch (error) {
    return giveUp(`${RECORD_FILE} cannot be read (${error.message}): write it with --record`);
  }
}

/** What was recorded with another Node.js says nothing about this one: its compiler and its streams are others. */
function recordedHere() {
  const { node, ratios } = readRecord();
  if (majorOf(String(node)) === majorOf(process.version)) return ratios;
  return giveUp(
    `recorded on Node.js ${node}, and this is ${process.version}: run npm run bench:guard -- --record here`,
  );
}

/** One ratio; none if a cell fails, which is told. */
async function ratiosOf(/** @type {import("./watched.mjs").Watched} */ watched) {
  const { subjects, measure } = watched;
  const onOutcome = (/** @type {string} */ subject, /** @type {number} */ _, /** @type {unknown} */ outcome) => {
    if (outcome instanceof Error) process.stderr.write(`${watched.name} ${subject}: ${outcome.message}\n`);
  };
  const outcomes = await compare({ ...watched, limitMs: CELL_LIMIT_MS }, { rounds, directory, onOutcome });
  const [raw, ours] = subjects.map((subject) => outcomes.get(subject) ?? []);
  return leastRatioOf(measure, ours, raw);
}

/** One run: what fails is tried once more. Resolves with the ratios of each first try, and whether all is met. */
async function runOnce(/** @type {Record<string, number>} */ recorded) {
  const firsts = new Map();
  const cells = [];
  let isMet = true;
  for (const watched of WATCHED) {
    const { name } = watched;
    if (recorded[name] === undefined) giveUp(`${name} is not in ${RECORD_FILE}: write it with --record`);
    const tries = [await ratiosOf(watched)];
    if (!findingOf(name, tries, recorded[name]).isMet) tries.push(await ratiosOf(watched));
    const finding = findingOf(name, tries, recorded[name]);
    const again = tries.length > 1 ? ", tried twice" : "";
    cells.push(
      `${name} ${finding.ratio.toFixed(2)} (${percent(finding.change)}${again})${finding.isMet ? "" : " WORSE"}`,
    );
    isMet &&= finding.isMet;
    firsts.set(name, tries[0]);
  }
  return { firsts, isMet, text: cells.join(" · ") };
}

async function record() {
  const ratios = {};
  for (const watched of WATCHED) {
    const runs = [];
    for (let run = 0; run < RUNS_TO_RECORD; run += 1) runs.push(await ratiosOf(watched));
    if (runs.flat().length === 0) giveUp(`${watched.name} could not be measured`);
    ratios[watched.name] = recordOf(runs);
    print(`${watched.name.padEnd(8)} ${ratios[watched.name].toFixed(2)}  ${watched.title}`);
  }
  writeFileSync(RECORD_FILE, `${JSON.stringify({ node: process.version, ratios }, null, 2)}\n`);
}

async function judge() {
  const ratios = recordedHere();
  const runs = [];
  for (let run = 1; run <= (repeat ?? 1); run += 1) {
    const done = await runOnce(ratios);
    runs.push(done);
    print(`${repeat === undefined ? "" : `${run}/${repeat}: `}${done.text}`);
  }
  if (repeat !== undefined) printNoise(runs);
  const failed = runs.filter(({ isMet }) => !isMet).length;
  if (failed === 0) print(`passed: at most ${percent(ALLOWED)} is allowed`);
  else
    print(
      `failed: ${repeat === undefined ? "" : `${failed} of ${repeat} runs, `}more than ${percent(ALLOWED)} of CPU beside the raw one`,
    );
  process.exitCode = failed === 0 ? 0 : 1;
}

function printNoise(/** @type {readonly { firsts: Map<string, number[]> }[]} */ runs) {
  for (const { name } of WATCHED) {
    const noise = noiseOf(runs.map(({ firsts }) => firsts.get(name) ?? []));
    if (noise === undefined) continue;
    const { median, least, most, above } = noise;
    const range = `${least.toFixed(2)} to ${most.toFixed(2)}`;
    print(
      `${name.padEnd(8)} median ${median.toFixed(2)}, ${range}; first tries at most ${percent(above)} above their median`,
    );
  }
}

const { isRecording, repeat, rounds } = optionsOrUsage();
if (!existsSync(fileURLToPath(new URL("../../dist", import.meta.url))))
  giveUp("Fairlead is not built: run npm run build");
const directory = mkdtempSync(join(tmpdir(), "fairlead-guard-"));
removeAtExit(directory);
const startedAt = performance.now();
await (isRecording ? record() : judge());
print(`${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
