import { randomInt } from "node:crypto";
import type { Command } from "commander";
import { BadInput } from "../../program/run-program.js";
import type { FaultAdapter, FaultScenario } from "../round/scenario.js";

export interface FaultsOptions {
  readonly rounds: number;
  readonly scenarios: readonly FaultScenario[];
  /** Undefined: every one to which a scenario applies. */
  readonly adapter: FaultAdapter | undefined;
  readonly isShort: boolean;
  /** What every decision follows from. */
  readonly seed: number;
  readonly jsonFile: string | undefined;
  readonly tableFile: string | undefined;
}

interface FaultsFlags {
  readonly rounds?: string;
  readonly only?: string;
  readonly adapter?: string;
  readonly short?: boolean;
  readonly seed?: string;
  readonly json?: string;
  readonly table?: string;
}

const ADAPTERS: readonly FaultAdapter[] = ["memory", "sqlite", "rabbitmq"];
const MOST_SEED = 2 ** 32 - 1;

export function addFaultsFlags(command: Command): Command {
  return command
    .option("--rounds <n>", "rounds of each scenario on each adapter (default 1)")
    .option("--only <ids>", "these scenarios: K1, or several with commas between them")
    .option("--adapter <name>", `this adapter: ${ADAPTERS.join(", ")}`)
    .option("--short", "smaller loads and shorter waits, without the slow scenarios")
    .option("--seed <n>", "of an earlier run, to have its decisions again (default random)")
    .option("--json <file>", "write the outcome of each round there")
    .option("--table <file>", "write the table into this Markdown file, between its markers");
}

/** All faults at once. */
export function resolveFaultsOptions(flags: FaultsFlags, known: readonly FaultScenario[]): FaultsOptions {
  const faults: string[] = [];
  const whole = (flag: string, text: string | undefined, least: number, most: number, fallback: number): number => {
    if (text === undefined) return fallback;
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) faults.push(`--${flag} must be a whole number from ${least} to ${most}`);
    return value;
  };
  const rounds = whole("rounds", flags.rounds, 1, 1_000, 1);
  const seed = whole("seed", flags.seed, 0, MOST_SEED, randomInt(MOST_SEED + 1));
  const adapter = ADAPTERS.find((name) => name === flags.adapter);
  if (flags.adapter !== undefined && adapter === undefined) faults.push(`--adapter must be ${ADAPTERS.join(", ")}`);

  const ids = [...new Set(known.map(({ id }) => id))];
  const asked = flags.only?.split(",").map((id) => id.trim().toUpperCase()) ?? ids;
  const unknown = asked.filter((id) => !ids.includes(id));
  if (unknown.length > 0) faults.push(`--only: there is no ${unknown.join(", ")} (there are ${ids.join(", ")})`);
  const isShort = flags.short ?? false;
  const scenarios = known.filter(({ id, adapters, isSlow = false }) => {
    return asked.includes(id) && (adapter === undefined || adapters.includes(adapter)) && !(isShort && isSlow);
  });
  if (faults.length === 0 && scenarios.length === 0) {
    faults.push(`nothing is left to run: ${asked.join(", ")} has no scenario for what was asked`);
  }
  if (faults.length > 0) throw new BadInput(faults.join("; "));
  return { rounds, scenarios, adapter, isShort, seed, jsonFile: flags.json, tableFile: flags.table };
}
