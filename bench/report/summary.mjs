/** @typedef {import("./judge.mjs").Result} Result */
/** @typedef {import("../growth/judge-growth.mjs").Growth} Growth */

const rounded = (/** @type {number} */ value) => Number(value.toPrecision(4));

/**
 * What the last line says: what else the machine did, every ratio to the raw subject, every verdict, and every slope.
 * @param {readonly Result[]} results
 * @param {readonly Growth[]} growth
 */
export function summaryOf(results, growth) {
  const tables = [...results, ...growth].filter(({ foreignCores }) => foreignCores !== undefined);
  return {
    foreignCores: Object.fromEntries(tables.map(({ name, foreignCores }) => [name, rounded(foreignCores)])),
    ratios: Object.fromEntries(results.map(({ name, rows }) => [name, Object.fromEntries(rows.map(ratiosOf))])),
    targets: results.flatMap(({ name, verdicts }) =>
      verdicts.map(({ id, says, value, bound, isMet }) => {
        return { id, name, says, value: value === undefined ? null : rounded(value), bound, isMet };
      }),
    ),
    slopes: growth.flatMap(({ name, lines }) =>
      lines.map(({ subject, key, slope, most, isMet }) => {
        return {
          name,
          subject,
          measure: key,
          slope: slope === undefined ? null : rounded(slope),
          most: most ?? null,
          isMet,
        };
      }),
    ),
  };
}

const RATIOS = { perSecond: "rate", cpuMicros: "cpu", serverMicros: "serverCpu" };

function ratiosOf(/** @type {import("./judge.mjs").Row} */ { subject, ratios }) {
  const found = Object.entries(RATIOS).filter(([key]) => ratios[key] !== undefined);
  return [subject, Object.fromEntries(found.map(([key, name]) => [name, rounded(ratios[key].median)]))];
}
