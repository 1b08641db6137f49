const MEGABYTE = 1_048_576;

/** What this process holds that no garbage collection frees; what libraries hold for themselves is not in it. */
export function keptMegabytes() {
  // Twice: what the first one finds to be finalized is gone with the second.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / MEGABYTE;
}
