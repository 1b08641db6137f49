import { createHash } from "node:crypto";
import { createProcessGuard } from "../../process/process-guard.js";
import { hasHeld } from "../ledger/ledger.js";
import type { FaultAdapter, FaultOutcome, FaultScenario } from "../round/scenario.js";
import type { FaultsOptions } from "./faults-options.js";
import { runRound } from "./run-round.js";
import { SharedNode } from "./shared-node.js";
import { type Track, tracksOf } from "./tracks.js";
import { watchUnhandledErrors } from "./unhandled-errors.js";

/** One round, as it went. */
export interface FaultResult {
  readonly id: string;
  readonly title: string;
  readonly adapter: FaultAdapter;
  /** From 1. */
  readonly round: number;
  readonly seed: number;
  readonly seconds: number;
  readonly held: boolean;
  readonly outcome: FaultOutcome;
}

const ADAPTERS: readonly FaultAdapter[] = ["memory", "sqlite", "rabbitmq"];

export interface FaultsRun {
  readonly results: readonly FaultResult[];
  /** Undefined where no round had a node. */
  readonly rabbitmqVersion: string | undefined;
}

/** A round to come. */
interface Turn {
  readonly scenario: FaultScenario;
  readonly adapter: FaultAdapter;
  readonly round: number;
}

/**
 * Runs all rounds and leaves nothing behind. Resolves early, with what there is, when it is stopped. Those that share
 * nothing run side by side: most of the time they wait.
 */
export async function runFaults(
  { rounds, scenarios, adapter, isShort, seed }: FaultsOptions,
  say: (line: string) => void,
  stopped: AbortSignal,
): Promise<FaultsRun> {
  const results: FaultResult[] = [];
  const guard = createProcessGuard("faults");
  const node = new SharedNode({ isHealedAlways: !isShort });
  const unhandled = watchUnhandledErrors();
  const surroundings = { isShort, guardDirectory: guard.directory, node, unhandled, stopped, say };
  const run = async ({ scenario, adapter, round }: Turn): Promise<void> => {
    if (stopped.aborted) return;
    const { id, title } = scenario;
    const seedOfRound = seedOf(seed, id, title, adapter, round);
    const startedAt = performance.now();
    const outcome = await runRound(scenario, adapter, seedOfRound, surroundings);
    const seconds = (performance.now() - startedAt) / 1_000;
    const result = { id, title, adapter, round, seed: seedOfRound, seconds, held: hasHeld(outcome), outcome };
    results.push(result);
    for (const line of linesOf(result)) say(line);
  };
  let apart: Promise<void> = Promise.resolve();
  const runInTurn = (turn: Turn): Promise<void> => {
    if (isShort || turn.scenario.keepsApart !== true) return run(turn);
    apart = apart.then(() => run(turn));
    return apart;
  };
  const runTrack = async (track: Track<Turn>): Promise<void> => {
    for (const turns of track) await Promise.all(turns.map(runInTurn));
  };
  try {
    const turns = Array.from({ length: rounds }, (_, index) =>
      scenarios.flatMap((scenario) =>
        scenario.adapters
          .filter((each) => adapter === undefined || each === adapter)
          .map((each) => ({ scenario, adapter: each, round: index + 1 })),
      ),
    ).flat();
    await Promise.all(tracksOf(turns, isShort).map(runTrack));
    return {
      results: results.sort((one, other) => rank(one, scenarios) - rank(other, scenarios)),
      rabbitmqVersion: await node.version(),
    };
  } finally {
    await node.stop();
    unhandled.stop();
    await guard.release();
  }
}

function linesOf({ id, title, adapter, round, seconds, held, outcome }: FaultResult): readonly string[] {
  const { sent, confirmed, handled, duplicates, lost, stuck, unsettled, longestGapMs } = outcome;
  const counts = `sent ${sent}, confirmed ${confirmed}, handled ${handled}, duplicates ${duplicates}, lost ${lost}`;
  const rest = `stuck ${stuck}, unsettled ${unsettled}, longest gap ${longestGapMs} ms`;
  const head = `${held ? "ok    " : "FAILED"} ${id} ${title}, ${adapter}, round ${round}`;
  return [
    `${head}: ${counts}, ${rest} (${seconds.toFixed(1)} s)`,
    ...outcome.violations.map((text) => `       VIOLATION ${text}`),
    ...outcome.notes.map((text) => `       ${text}`),
  ];
}

/** In the order of the ids and the scenarios, whatever ran beside them. */
function rank({ id, title, adapter, round }: FaultResult, scenarios: readonly FaultScenario[]): number {
  const index = scenarios.findIndex((scenario) => scenario.id === id && scenario.title === title);
  return (
    ((Number(id.slice(1)) * scenarios.length + index) * ADAPTERS.length + ADAPTERS.indexOf(adapter)) * 1_000 + round
  );
}

function seedOf(...parts: readonly (string | number)[]): number {
  return createHash("sha256").update(parts.join("\n")).digest().readUInt32LE();
}
