import type { Command } from "commander";
import { addClientFlags, type ClientFlags, readClientFlags } from "./client-flags.js";
import { EXIT_CODE_HELP, type ExitCode } from "./exit-code.js";
import { BadInput } from "./failure.js";

interface HealthFlags extends ClientFlags {
  readonly service: string;
  readonly alive?: true;
}

export function addHealthCommand(program: Command, onDone: (code: ExitCode) => void): void {
  const command = program
    .command("health")
    .allowExcessArguments(false)
    .description("Ask a server whether it serves, and print what it says: SERVING ends with 0, anything else with 1.")
    .option("--service <name>", "one of its services, for example queue.QueueApi (default all of it)", "")
    .option(
      "--alive",
      "any answer ends with 0: whether to start it anew, which heals nothing while its broker is away",
    );
  addClientFlags(command, "how long its answer may take")
    .addHelpText("after", EXIT_CODE_HELP)
    .action(async (flags: HealthFlags) => {
      const faults: string[] = [];
      const { timeoutMs, security } = readClientFlags(flags, faults);
      if (faults.length > 0) throw new BadInput(faults.join("; "));
      const { health } = await import("./health-run.js");
      const { server: address, service, alive: isAnyAnswerGood = false } = flags;
      onDone(await health({ ...security, address, service, timeoutMs }, isAnyAnswerGood));
    });
}
