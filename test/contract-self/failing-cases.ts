import {
  type AdapterHarness,
  type ContractCase,
  contractCases,
  runCase,
  verifiedCases,
} from "../../src/contract/index.js";

/** Enough that the waits of the cases overlap, few enough that none is starved. */
const AT_ONCE = 8;
/** Multiplies the deadlines of whatever must not fail: a machine that is slow breaks no promise. */
const PATIENT = 6;
/**
 * How often a case that must fail may be tried. What is forbidden "by then" has happened by then but for a machine that
 * was away just then; a case that cannot see it passes each time.
 */
const TRIES = 3;

/** The families that speak of drivers, and of what core makes of them directly. */
export const DRIVER_FAMILIES = "QBCD";

export interface Trial {
  /** A harness for one case, whose deadlines are multiplied by this. */
  createHarness(timeScale: number): AdapterHarness;
  /** The cases that must fail: their deadlines may be cut short. */
  readonly caughtBy?: readonly string[];
  /** Those that fail at times: theirs, too. */
  readonly atTimesBy?: readonly string[];
  /** For these. Whatever has not happened on a broker in this process by then, will not. */
  readonly timeScale: number;
  readonly atOnce?: number | undefined;
}

/** Runs every case of these families that applies, each with a harness of its own, and returns what failed, by id. */
export function failingCases(trial: Trial, families: string): Promise<Map<string, unknown>> {
  const all = verifiedCases(trial.createHarness(1));
  return failing(
    trial,
    all.filter(({ id }) => families.includes(id.charAt(0))),
  );
}

/** Which of these cases fail, each with a harness of its own. */
export function failingOf(trial: Trial, ids: readonly string[]): Promise<Map<string, unknown>> {
  return failing(
    trial,
    ids.map((id) => {
      const subject = contractCases.find((one) => one.id === id);
      if (subject === undefined) throw new Error(`there is no case ${id}`);
      return subject;
    }),
  );
}

async function failing(
  { createHarness, caughtBy = [], atTimesBy = [], timeScale, atOnce = AT_ONCE }: Trial,
  cases: readonly ContractCase[],
): Promise<Map<string, unknown>> {
  const waiting = [...cases];
  const failed = new Map<string, unknown>();
  const isCutShort = new Set([...caughtBy, ...atTimesBy]);
  const run = async (subject: ContractCase): Promise<void> => {
    try {
      await runCase(subject, createHarness(isCutShort.has(subject.id) ? timeScale : PATIENT));
    } catch (error) {
      failed.set(subject.id, error);
    }
  };
  const runSome = async (): Promise<void> => {
    for (let subject = waiting.shift(); subject !== undefined; subject = waiting.shift()) await run(subject);
  };
  await Promise.all(Array.from({ length: atOnce }, runSome));
  for (const subject of cases.filter(({ id }) => caughtBy.includes(id))) {
    for (let tries = 1; tries < TRIES && !failed.has(subject.id); tries += 1) await run(subject);
  }
  return failed;
}
