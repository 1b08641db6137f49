import { percentile } from "../report/figures.mjs";

/** Bodies that say when they were made, and how old those were that arrived. */
export function createTimedBodies() {
  const ages = [];
  return {
    /** @param {number} bytes at least 8 */
    make(bytes) {
      const body = new Uint8Array(bytes);
      new DataView(body.buffer).setFloat64(0, performance.now());
      return body;
    },
    /** @param {Uint8Array} body */
    take(body) {
      ages.push(performance.now() - new DataView(body.buffer, body.byteOffset).getFloat64(0));
    },
    forget() {
      ages.length = 0;
    },
    p99: () => percentile(ages, 0.99),
  };
}
