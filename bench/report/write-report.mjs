import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { plotOf } from "../growth/plot.mjs";
import { readProse } from "./prose.mjs";
import { reportOf } from "./report.mjs";

/**
 * Writes the report, and its plots into a folder beside it: docs/PERFORMANCE.md, docs/performance/*.svg. What people wrote
 * into an earlier one is kept.
 * @param {string} file
 * @param {readonly import("./report.mjs").Measured[]} runs a later one replaces the tables that it has, too
 */
export function writeReport(file, runs) {
  const plots = basename(file, extname(file)).toLowerCase();
  const measured = merged(runs);
  const prose = existsSync(file) ? readProse(readFileSync(file, "utf8")) : new Map();
  mkdirSync(join(dirname(file), plots), { recursive: true });
  for (const growth of measured.growth) writeFileSync(join(dirname(file), plots, `${growth.name}.svg`), plotOf(growth));
  writeFileSync(file, reportOf(measured, prose, plots));
}

/** @param {readonly import("./report.mjs").Measured[]} runs at least one */
function merged(runs) {
  const [first, ...later] = runs;
  return later.reduce(
    (all, run) => ({
      ...run,
      versions: { ...all.versions, ...defined(run.versions) },
      results: byName(all.results, run.results),
      growth: byName(all.growth, run.growth),
    }),
    first,
  );
}

function byName(all, more) {
  return [...new Map([...all, ...more].map((each) => [each.name, each])).values()];
}

function defined(/** @type {Record<string, string | undefined>} */ versions) {
  return Object.fromEntries(Object.entries(versions).filter(([, version]) => version !== undefined));
}
