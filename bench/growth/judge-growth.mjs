import { foreignCoresOf } from "../report/judge.mjs";
import { slopeOf } from "./slope.mjs";

/** What noise and caches may add to an exponent: a factor of about 3 over two decades. */
const TOLERANCE = 0.25;

/**
 * @typedef {object} CurveMeasure
 * @property {string} key of the outcomes
 * @property {string} says with its unit
 * @property {0 | 1} [exponent] 0: stays the same however many there are; 1: may grow in proportion; nothing: only shown
 * @property {number} floor what is less counts as so much
 */

/**
 * @typedef {object} Curve
 * @property {string} name also of its plot and of its file in growth/kinds/
 * @property {string} title
 * @property {string} unit what there is so much of
 * @property {readonly number[]} sizes
 * @property {readonly string[]} subjects
 * @property {readonly CurveMeasure[]} measures
 */

/**
 * @typedef {object} Line
 * @property {string} subject
 * @property {string} key
 * @property {string} says
 * @property {readonly (number | undefined)[]} values by size; nothing where the cell failed
 * @property {number | undefined} slope nothing if a size could not be measured
 * @property {number | undefined} most that the slope may be; nothing for what is only shown
 * @property {boolean} isMet
 */

/** @typedef {{ name: string, title: string, unit: string, sizes: readonly number[], lines: readonly Line[], failures: readonly string[], foreignCores: number | undefined }} Growth */

/**
 * @param {Curve} curve
 * @param {ReadonlyMap<string, readonly (Record<string, number> | Error)[]>} outcomes of each subject, by size
 * @returns {Growth}
 */
export function judgeGrowth({ name, title, unit, sizes, measures }, outcomes) {
  const lines = [...outcomes].flatMap(([subject, ofSubject]) =>
    measures.map(({ key, says, exponent, floor }) => {
      const values = sizes.map((_, index) =>
        Number.isFinite(ofSubject[index]?.[key]) ? ofSubject[index][key] : undefined,
      );
      const points = values.map((value, index) => ({ size: sizes[index], value }));
      const slope = values.includes(undefined) ? undefined : slopeOf(points, floor);
      const most = exponent === undefined ? undefined : exponent + TOLERANCE;
      const isMet = slope !== undefined && (most === undefined || slope <= most);
      return { subject, key, says, values, slope, most, isMet };
    }),
  );
  const all = [...outcomes.values()].flat();
  const failures = all.filter((outcome) => outcome instanceof Error).map(({ message }) => message);
  return { name, title, unit, sizes, lines, failures, foreignCores: foreignCoresOf(all) };
}
