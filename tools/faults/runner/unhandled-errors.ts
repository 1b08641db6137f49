/** Errors and rejections that nobody handled. Without it the first one would end this process. */
export interface UnhandledErrors {
  readonly count: number;
  /** A sentence for each that came after so many. */
  since(count: number): readonly string[];
  stop(): void;
}

const MOST_KEPT = 100;

export function watchUnhandledErrors(): UnhandledErrors {
  const seen: string[] = [];
  let dropped = 0;
  const note = (kind: string, error: unknown): void => {
    if (seen.length < MOST_KEPT) seen.push(`${kind}: ${error instanceof Error ? error.stack : String(error)}`);
    else dropped += 1;
  };
  const onException = (error: unknown): void => note("uncaught exception", error);
  const onRejection = (error: unknown): void => note("unhandled rejection", error);
  process.on("uncaughtException", onException);
  process.on("unhandledRejection", onRejection);
  return {
    get count() {
      return seen.length + dropped;
    },
    since: (count) => [
      ...seen.slice(count),
      ...(dropped > 0 && count < seen.length + dropped ? [`${dropped} more`] : []),
    ],
    stop() {
      process.off("uncaughtException", onException);
      process.off("unhandledRejection", onRejection);
    },
  };
}
