/** Waits until what `action` starts is settled, either way, but not longer than this. Never rejects. */
export function settledWithin(timeoutMs: number, action: () => Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs);
    const settled = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const run = async (): Promise<unknown> => action();
    run().then(settled, settled);
  });
}
