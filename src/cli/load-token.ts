/** The tool's mark, the run, the moment of the first try in milliseconds, and the number of the event. */
const TOKEN = /^load-([0-9a-f]{1,36})-(\d{1,15})-(\d{1,15})$/;

export interface LoadToken {
  readonly run: string;
  /** Milliseconds since the epoch. */
  readonly postedAt: number;
  readonly number: number;
}

export function toLoadToken({ run, postedAt, number }: LoadToken): string {
  return `load-${run}-${postedAt}-${number}`;
}

/** Undefined: of nobody who runs this tool. */
export function fromLoadToken(text: string): LoadToken | undefined {
  const [, run, postedAt, number] = TOKEN.exec(text) ?? [];
  if (run === undefined) return undefined;
  return { run, postedAt: Number(postedAt), number: Number(number) };
}
