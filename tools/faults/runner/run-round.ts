import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { seededRandom } from "../../crash/seeded-random.js";
import type { RabbitmqNode } from "../../rabbitmq/index.js";
import type { FaultAdapter, FaultOutcome, FaultRound, FaultScenario } from "../round/scenario.js";
import type { SharedNode } from "./shared-node.js";
import type { UnhandledErrors } from "./unhandled-errors.js";

/** What rounds have in common. */
export interface RoundSurroundings {
  readonly isShort: boolean;
  /** Of a process guard; the directories of the rounds stand in it. */
  readonly guardDirectory: string;
  readonly node: SharedNode;
  readonly unhandled: UnhandledErrors;
  readonly stopped: AbortSignal;
  say(line: string): void;
}

/** For what a round started, each. */
const END_MS = 30_000;

const NOTHING: FaultOutcome = {
  sent: 0,
  confirmed: 0,
  handled: 0,
  duplicates: 0,
  lost: 0,
  stuck: 0,
  unsettled: 0,
  longestGapMs: 0,
  violations: [],
  notes: [],
};

/** Runs one round within its limit and ends all that it started. Never rejects: what goes wrong is a violation. */
export async function runRound(
  scenario: FaultScenario,
  adapter: FaultAdapter,
  seed: number,
  surroundings: RoundSurroundings,
): Promise<FaultOutcome> {
  const { isShort, guardDirectory, node, unhandled, stopped, say } = surroundings;
  const directory = mkdtempSync(join(guardDirectory, `${scenario.id}-`));
  const over = new AbortController();
  const ends: (() => Promise<void> | void)[] = [];
  let healed: Promise<RabbitmqNode> | undefined;
  const round: FaultRound = {
    adapter,
    isShort,
    random: seededRandom(seed),
    directory,
    guardDirectory,
    node: () => {
      // Made whole once: what is asked again later is in the middle of the round.
      healed ??= node.get();
      return healed;
    },
    atEnd: (end) => void ends.push(end),
    stopped: AbortSignal.any([stopped, over.signal]),
    say,
  };
  const violations: string[] = [];
  const seenBefore = unhandled.count;
  let outcome: FaultOutcome | undefined;
  try {
    outcome = await withinLimit(scenario.run(round), scenario.limitMs, stopped);
  } catch (error) {
    violations.push(describe(error));
    node.doubt();
  }
  over.abort(new Error("the round is over"));
  for (let end = ends.pop(); end !== undefined; end = ends.pop()) {
    const ending = end;
    await withinLimit(Promise.resolve().then(ending), END_MS).catch((error: unknown) => {
      violations.push(`at the end: ${describe(error)}`);
    });
  }
  // Rejections that nobody handles are told a turn later.
  await delay(10);
  violations.push(...unhandled.since(seenBefore));
  rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  const { violations: found, ...rest } = outcome ?? NOTHING;
  if (adapter === "rabbitmq" && found.length + violations.length > 0) node.doubt();
  return { ...rest, violations: [...found, ...violations] };
}

/** Rejects when the time is over or the run stops; what goes on behind it fails by what is taken from it. */
async function withinLimit<T>(work: Promise<T>, limitMs: number, stopped?: AbortSignal): Promise<T> {
  work.catch(() => {});
  const over = new AbortController();
  const late = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`not over within ${limitMs} ms`)), limitMs);
    over.signal.addEventListener("abort", () => clearTimeout(timer));
    const refuse = (): void => reject(new Error("stopped by a signal"));
    if (stopped?.aborted === true) refuse();
    stopped?.addEventListener("abort", refuse, { signal: over.signal });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.message === "" ? error.name : error.message) : String(error);
}
