import type { Command } from "commander";
import type { MessageState } from "../ports/inspection.js";
import type { EventsOrder } from "./events-run.js";
import { EXIT_CODE_HELP, type ExitCode } from "./exit-code.js";
import { BadInput } from "./failure.js";
import { parseInt64 } from "./int64.js";
import { parseIsoDate } from "./iso-date.js";
import {
  addOperatorFlags,
  addPlaceFlags,
  MAX_LIMIT,
  type OperatorFlags,
  readOperatorFlags,
  selectsSome,
} from "./operator-flags.js";

interface EventsFlags extends OperatorFlags {
  readonly key1?: string;
  readonly key2?: string;
  readonly client?: string;
  readonly from?: string;
  readonly until?: string;
  readonly state?: string;
  readonly all?: boolean;
}

const STATES: readonly MessageState[] = ["available", "in-processing", "processed", "failed", "removed", "reaped"];
const LIST_LIMIT = 100;
const ACTIONS = "list, show, remove and counts";

export function addEventsCommand(program: Command, onDone: (code: ExitCode) => void): void {
  const events = program
    .command("events")
    .description("The events that a server has: those that wait, are handed out, or are over.")
    .allowExcessArguments()
    .helpCommand(false)
    .action((_, command: Command) => {
      const [unknown] = command.args;
      const fault = unknown === undefined ? "no command was given" : `unknown command ${JSON.stringify(unknown)}`;
      throw new BadInput(`events: ${fault}; known are ${ACTIONS} (see fairlead events --help)`);
    });
  const run = (command: Command, action: EventsOrder["action"], limit: number): Command =>
    command.action(async (flags: EventsFlags) => {
      const order = readOrder(action, flags, limit);
      const { runEvents } = await import("./events-run.js");
      onDone(await runEvents(order));
    });
  const add = (action: EventsOrder["action"], description: string, limit: number): Command => {
    const command = addOperatorFlags(events.command(action).description(description), limit)
      .option("--key1 <n>", "only with this search key 1")
      .option("--key2 <n>", "only with this search key 2")
      .option("--client <id>", "only those that this client posted")
      .option("--from <date>", "only due then or later, ISO 8601; without a zone, UTC")
      .option("--until <date>", "only due before then")
      .option("--state <states>", `with commas between them: ${STATES.join(", ")} (default available)`)
      .addHelpText("after", `\nNeeds a broker that keeps its events in a store (sqlite).\n${EXIT_CODE_HELP}`);
    return run(command, action, limit);
  };
  add("list", "One line each: id, state, due date, attempt, client, keys, body.", LIST_LIMIT);
  add("show", "Each of them whole.", LIST_LIMIT);
  add("remove", "Take events out, for good, also those that wait for their date: N removed.", MAX_LIMIT).option(
    "--all",
    "all of them: needed where nothing says which",
  );
  const counts = events.command("counts").description("How many are ready, wait for their date, and are handed out.");
  run(addPlaceFlags(counts).addHelpText("after", EXIT_CODE_HELP), "counts", LIST_LIMIT);
}

function readOrder(action: EventsOrder["action"], flags: EventsFlags, defaultLimit: number): EventsOrder {
  const faults: string[] = [];
  const { key1, key2, client, from, until, state, where = [], all = false } = flags;
  for (const [name, key] of Object.entries({ key1, key2 })) {
    if (key !== undefined && parseInt64(key) === undefined) {
      faults.push(`--${name}: must be a whole number from -2^63 to 2^63 - 1`);
    }
  }
  const byFlag = Object.entries({ key1: canonical(key1), key2: canonical(key2), client })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`);
  const { selection, ...order } = readOperatorFlags({ ...flags, where: [...where, ...byFlag] }, defaultLimit, faults);
  const [dueFrom, dueBefore] = [readDate("--from", from, faults), readDate("--until", until, faults)];
  if (dueFrom !== undefined && dueBefore !== undefined && dueFrom >= dueBefore) {
    faults.push("--from: must be before --until");
  }
  const whole = {
    ...selection,
    ...(dueFrom === undefined ? {} : { dueFrom }),
    ...(dueBefore === undefined ? {} : { dueBefore }),
    ...(state === undefined ? {} : { states: readStates(state, faults) }),
  };
  if (action === "remove" && !selectsSome(whole) && !all) {
    faults.push("remove: say which, with --id, --key1, --until and so on, or --all for all of them");
  }
  if (faults.length > 0) throw new BadInput(faults.join("; "));
  return { ...order, selection: whole, action };
}

function canonical(key: string | undefined): string | undefined {
  const value = key === undefined ? undefined : parseInt64(key);
  return value === undefined ? undefined : String(value);
}

function readDate(flag: string, text: string | undefined, faults: string[]): number | undefined {
  if (text === undefined) return undefined;
  const date = parseIsoDate(text);
  if (date !== undefined) return date.seconds * 1_000 + date.nanos / 1_000_000;
  faults.push(`${flag}: must be an ISO 8601 date that exists, for example 2030-01-31T12:00:00Z`);
  return undefined;
}

function readStates(text: string, faults: string[]): readonly MessageState[] {
  const names = text.split(",").map((name) => name.trim());
  const states = STATES.filter((state) => names.includes(state));
  if (states.length !== new Set(names).size)
    faults.push(`--state: must be of ${STATES.join(", ")}, with commas between`);
  return states;
}
