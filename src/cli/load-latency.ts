/** Neighbouring buckets differ by 2 %. */
const RATIO = Math.log(1.02);
const LEAST_MS = 0.01;
/** Up to about 11 days. */
const BUCKETS = 1_275;

/** How long things took, in constant memory, to 2 %. */
export class LoadLatency {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;

  add(ms: number): void {
    const bucket = ms <= LEAST_MS ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / LEAST_MS) / RATIO));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
  }

  /** What this share of all took at most, in milliseconds. Undefined for none. */
  quantile(share: number): number | undefined {
    if (this.#count === 0) return undefined;
    let left = Math.ceil(this.#count * share);
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return Number((LEAST_MS * Math.exp(bucket * RATIO)).toPrecision(3));
    }
    return undefined;
  }
}
