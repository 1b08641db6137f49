/** One request. */
export interface Work {
  readonly number: number;
  /** Before each response. */
  readonly ms: number;
  readonly responses: number;
  readonly bytes: number;
  /** Print nothing of it. */
  readonly isQuiet?: boolean | undefined;
}

/** The sink's name. */
export const WORK = "fairlead-faults-work";
