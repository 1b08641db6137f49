export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * The wait before try number `failures` (1-based): doubling from `firstMs`, at most `maxMs`, spread over the upper half
 * by `fraction` in [0, 1), so that many clients of one broker do not come back in step.
 */
export function backoffMs(failures: number, fraction: number, { firstMs, maxMs }: BackoffOptions): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return full / 2 + (full / 2) * fraction;
}
