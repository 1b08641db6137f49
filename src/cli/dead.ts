import type { Command } from "commander";
import type { DeadOrder } from "./dead-run.js";
import { EXIT_CODE_HELP, type ExitCode } from "./exit-code.js";
import { BadInput } from "./failure.js";
import {
  addOperatorFlags,
  MAX_LIMIT,
  type OperatorFlags,
  type OperatorOrder,
  readOperatorFlags,
  selectsSome,
} from "./operator-flags.js";

interface DeadFlags extends OperatorFlags {
  readonly rate?: string;
  readonly to?: string;
  readonly all?: boolean;
}

const LIST_LIMIT = 100;
const ACTIONS = "list, show, replay and purge";

export function addDeadCommand(program: Command, onDone: (code: ExitCode) => void): void {
  const dead = program
    .command("dead")
    .description("Dead letters: what was given up, and why; bring it back, or throw it away.")
    .allowExcessArguments()
    .helpCommand(false)
    .action((_, command: Command) => {
      const [unknown] = command.args;
      const fault = unknown === undefined ? "no command was given" : `unknown command ${JSON.stringify(unknown)}`;
      throw new BadInput(`dead: ${fault}; known are ${ACTIONS} (see fairlead dead --help)`);
    });
  const add = (name: string, description: string, limit: number): Command =>
    addOperatorFlags(dead.command(name).description(description), limit).addHelpText("after", EXIT_CODE_HELP);
  const run = (command: Command, read: (flags: DeadFlags) => DeadOrder): void => {
    command.action(async (flags: DeadFlags) => {
      const order = read(flags);
      const { runDead } = await import("./dead-run.js");
      onDone(await runDead(order));
    });
  };

  run(add("list", "One line each: id, time, attempts, queue, reason, body.", LIST_LIMIT), (flags) => ({
    ...checked(flags, LIST_LIMIT),
    action: "list",
  }));
  run(add("show", "Each of them whole.", LIST_LIMIT), (flags) => ({ ...checked(flags, LIST_LIMIT), action: "show" }));
  run(
    add("replay", "Publish them anew, with no failed attempts, to where they came from: N replayed.", MAX_LIMIT)
      .option("--to <queue>", "to this queue instead")
      .option("--rate <n>", "at most so many a second"),
    (flags) => {
      const faults: string[] = [];
      const rate = flags.rate === undefined ? undefined : Number(/^\d{1,7}(\.\d{1,3})?$/.exec(flags.rate)?.[0] ?? 0);
      if (rate !== undefined && rate <= 0) faults.push("--rate: must be a number of messages a second, for example 50");
      if (flags.to === "") faults.push("--to: must not be empty");
      return { ...checked(flags, MAX_LIMIT, faults), action: "replay", to: flags.to, ratePerSecond: rate };
    },
  );
  run(
    add("purge", "Throw them away, for good: N removed.", MAX_LIMIT).option(
      "--all",
      "all of them: needed where neither --id nor --where says which",
    ),
    (flags) => {
      const faults: string[] = [];
      const order = readOperatorFlags(flags, MAX_LIMIT, faults);
      if (!selectsSome(order.selection) && flags.all !== true) {
        faults.push("purge: say which with --id or --where, or --all for all of them");
      }
      throwIfAny(faults);
      return { ...order, action: "purge" };
    },
  );
}

function checked(flags: DeadFlags, defaultLimit: number, faults: string[] = []): OperatorOrder {
  const order = readOperatorFlags(flags, defaultLimit, faults);
  throwIfAny(faults);
  return order;
}

function throwIfAny(faults: readonly string[]): void {
  if (faults.length > 0) throw new BadInput(faults.join("; "));
}
