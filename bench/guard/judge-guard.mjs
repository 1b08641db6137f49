import { median, spread } from "../report/figures.mjs";
import { soundRatiosOf } from "../report/judge.mjs";

/** A ratio that is worse than the recorded one by more than this part of it fails. */
export const ALLOWED = 0.25;

/** What one run found, CPU per operation of ours to that of the raw subject; empty if it could not be measured. */
/** @typedef {readonly number[]} Ratios */

/**
 * @typedef {object} Finding
 * @property {string} name
 * @property {number} ratio of the better of two tries
 * @property {number} recorded
 * @property {number} change 0.1: a tenth worse than recorded
 * @property {boolean} isMet
 */

/**
 * The least that ours needed beside the least that the raw subject needed: what else the machine does only ever adds to CPU.
 * Nothing unless every round was measured.
 * @param {string} measure
 * @param {readonly (Record<string, number> | Error)[]} ours by round
 * @param {readonly (Record<string, number> | Error)[]} raw
 * @returns {Ratios}
 */
export function leastRatioOf(measure, ours, raw) {
  if (soundRatiosOf(measure, ours, raw).length < ours.length) return [];
  const least = (/** @type {readonly Record<string, number>[]} */ outcomes) =>
    Math.min(...outcomes.map((outcome) => outcome[measure]));
  return [least(ours) / least(raw)];
}

/**
 * @param {string} name
 * @param {readonly Ratios[]} tries one, or two where the first one failed
 * @param {number} recorded
 * @returns {Finding}
 */
export function findingOf(name, tries, recorded) {
  const ratio = Math.min(...tries.map((ratios) => (ratios.length === 0 ? Number.POSITIVE_INFINITY : median(ratios))));
  const change = ratio / recorded - 1;
  return { name, ratio, recorded, change, isMet: change <= ALLOWED };
}

/**
 * What is recorded: the median of everything that was measured, to four digits.
 * @param {readonly Ratios[]} runs
 */
export function recordOf(runs) {
  return Number(median(runs.flat()).toPrecision(4));
}

/**
 * How steady a ratio is over several runs on the same code: the most that one run's median is above the median of all.
 * @param {readonly Ratios[]} runs
 */
export function noiseOf(runs) {
  const medians = spread(runs.filter((ratios) => ratios.length > 0).map((ratios) => median(ratios)));
  return medians && { ...medians, above: medians.most / medians.median - 1 };
}
