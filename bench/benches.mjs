/** What can be asked for by name, in the order of `all`: each is a file in benches/ with one table or several. */
export const BENCHES = ["publish", "request", "stream", "slow", "grpc", "events", "sqlite", "memory", "scale"];

/**
 * @param {string} name
 * @returns {Promise<readonly import("./report/judge.mjs").Comparison[]>}
 */
export async function comparisonsOf(name) {
  const { comparisons } = await import(`./benches/${name}.mjs`);
  return comparisons;
}

/**
 * What is judged by how it grows, not beside others.
 * @param {string} name
 * @returns {Promise<readonly import("./growth/judge-growth.mjs").Curve[]>}
 */
export async function curvesOf(name) {
  const { curves = [] } = await import(`./benches/${name}.mjs`);
  return curves;
}
