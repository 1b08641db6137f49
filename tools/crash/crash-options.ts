import { randomInt } from "node:crypto";
import { type Command, Option } from "commander";
import { checkBrokerUrl } from "../../src/container/index.js";
import { BadInput } from "../program/run-program.js";

export interface CrashOptions {
  /** Undefined: a SQLite file of its own, which goes with it. */
  readonly broker: string | undefined;
  readonly servers: number;
  readonly kills: number;
  /** Undefined: as many as there is time for until the last kill. */
  readonly events: number | undefined;
  readonly rate: number;
  readonly subscribers: number;
  /** What the moments of the kills follow from. */
  readonly seed: number;
}

interface CrashFlags extends Omit<CrashOptions, "broker" | "events" | "seed"> {
  readonly broker?: string;
  readonly events?: number;
  readonly seed?: number;
}

export function addCrashFlags(command: Command): Command {
  const count = (flag: string, help: string, byDefault?: number): Option => {
    const option = new Option(`--${flag} <n>`, help).argParser((text) =>
      /^\d+$/.test(text) ? Number(text) : Number.NaN,
    );
    return byDefault === undefined ? option : option.default(byDefault);
  };
  return command
    .option("--broker <url>", "the broker of the servers (default: a SQLite file of its own)")
    .addOption(count("kills", "how often a server is killed, and started again", 20))
    .addOption(count("servers", "server processes on the one broker", 1))
    .addOption(count("rate", "events per second", 200))
    .addOption(count("events", "post at least so many (default: until the last kill)"))
    .addOption(count("subscribers", "who receive them", 3))
    .addOption(count("seed", "of an earlier run, to have its moments again (default random)"));
}

/** All faults at once. */
export function resolveCrashOptions(flags: CrashFlags): CrashOptions {
  const faults: string[] = [];
  const { broker, servers, kills, rate, events, subscribers, seed = randomInt(2 ** 32) } = flags;
  const limit = (flag: string, value: number, least: number, most: number): void => {
    if (!(value >= least && value <= most)) faults.push(`--${flag} must be a whole number from ${least} to ${most}`);
  };
  limit("kills", kills, 1, 10_000);
  limit("servers", servers, 1, 16);
  limit("rate", rate, 1, 100_000);
  limit("subscribers", subscribers, 1, 64);
  limit("seed", seed, 0, 2 ** 32 - 1);
  if (events !== undefined) limit("events", events, 1, 5_000_000);
  if (broker !== undefined) {
    try {
      checkBrokerUrl(broker);
    } catch (error) {
      faults.push(`--broker: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (broker?.startsWith("memory:")) faults.push("--broker memory: dies with its server; choose one that is durable");
  if (servers > 1 && (broker === undefined || broker.startsWith("sqlite:"))) {
    faults.push(`--servers ${servers}: a SQLite file has one server; use npm run broker and --broker with its URL`);
  }
  if (faults.length > 0) throw new BadInput(faults.join("; "));
  return Object.freeze({ broker, servers, kills, rate, events, subscribers, seed });
}
