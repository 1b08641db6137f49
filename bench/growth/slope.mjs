/**
 * Two decades, and the bit by which 1 MiB is more than 1,000,000. Smaller sizes say little about growth: they cost what one
 * operation costs anyhow.
 */
const JUDGED_RANGE = 110;

/**
 * @typedef {object} Point
 * @property {number} size
 * @property {number} value
 */

/**
 * How steeply values grow over the two largest decades of sizes: the exponent of the power that fits them best. 0: they stay as
 * they are; 1: they grow in proportion. Values below the floor count as the floor. Nothing for fewer than two points.
 * @param {readonly Point[]} points
 * @param {number} floor more than 0
 * @returns {number | undefined}
 */
export function slopeOf(points, floor) {
  const most = Math.max(...points.map(({ size }) => size));
  const judged = points
    .filter(({ size }) => size * JUDGED_RANGE >= most)
    .map(({ size, value }) => ({ x: Math.log(size), y: Math.log(Math.max(value, floor)) }));
  if (judged.length < 2) return undefined;
  const meanX = judged.reduce((sum, { x }) => sum + x, 0) / judged.length;
  const meanY = judged.reduce((sum, { y }) => sum + y, 0) / judged.length;
  const covariance = judged.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  const variance = judged.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  return covariance / variance;
}
