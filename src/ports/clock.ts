export type Cancel = () => void;

/** Time, injected so that core runs under a simulator. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `action` once, not before `ms` milliseconds have passed. Any non-negative `ms` is exact, also beyond 2^31. */
  setTimer(ms: number, action: () => void): Cancel;
}

/** Randomness, injected for the same reason. */
export interface Random {
  /** In [0, 1). */
  fraction(): number;
  uuid(): string;
}
