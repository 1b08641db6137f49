import { describe, it } from "vitest";
import type { AdapterHarness } from "../../src/contract/index.js";
import { failingOf, type Trial } from "./failing-cases.js";

const LIMIT_MS = 180_000;

export interface BrokenTests<Broken> {
  readonly suite: string;
  /** What the broken ones are broken from. */
  readonly whole: string;
  /** What each of them is. */
  readonly kind: string;
  readonly broken: readonly Broken[];
  /** With nothing broken in it for `undefined`. */
  createHarness(broken: Broken | undefined, timeScale: number): AdapterHarness;
  /** Cuts the deadlines of cases that must fail. */
  readonly timeScale: number;
  /** How many cases run side by side. */
  readonly atOnce?: number;
}

/** Registers tests: each broken one fails the cases that must catch it, and what they are broken from passes all of these. */
export function brokenTests<Broken extends { readonly name: string; readonly caughtBy: readonly string[] }>({
  suite,
  whole,
  kind,
  broken,
  createHarness,
  timeScale,
  atOnce,
}: BrokenTests<Broken>): void {
  const needed = [...new Set(broken.flatMap(({ caughtBy }) => caughtBy))];
  const trial = (one: Broken | undefined): Trial => ({
    createHarness: (scale) => createHarness(one, scale),
    caughtBy: one?.caughtBy ?? [],
    timeScale,
    atOnce,
  });

  describe(`${suite}, by itself`, () => {
    it(
      `passes the ${whole}`,
      async ({ expect }) => {
        const failed = await failingOf(trial(undefined), needed);
        expect([...failed].map(([id, error]) => `${id}: ${String(error)}`)).toEqual([]);
      },
      LIMIT_MS,
    );
  });

  // Nearly all of their time is waiting.
  describe.concurrent(suite, () => {
    for (const one of broken) {
      it(
        `fails a ${kind} that ${one.name}, by ${one.caughtBy.join(" ")}`,
        async ({ expect }) => {
          const failed = await failingOf(trial(one), one.caughtBy);
          expect([...failed.keys()].sort()).toEqual([...one.caughtBy].sort());
        },
        LIMIT_MS,
      );
    }
  });
}
