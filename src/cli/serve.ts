import type { Command } from "commander";
import { EXIT_CODE_HELP, type ExitCode } from "./exit-code.js";
import { addServeFlags } from "./serve-flags.js";
import type { ServeFlags } from "./serve-run.js";

export function addServeCommand(program: Command, onDone: (code: ExitCode) => void): void {
  const command = program
    .command("serve")
    .allowExcessArguments(false)
    .description("Serve queue.QueueApi over gRPC, on the broker that the URL names.")
    .option("--config <file>", 'a JSON file with these settings, keys in camel case: {"ackTimeoutMs": 5000}');
  addServeFlags(command);
  command
    .addHelpText(
      "after",
      `
A flag wins over the environment, the environment over the file, the file over the default.
When ready, one line goes to standard output: fairlead ready listen=HOST:PORT broker=URL pid=N
SIGTERM and SIGINT drain and exit with 0; a second one exits at once.
${EXIT_CODE_HELP}`,
    )
    .action(async (flags: ServeFlags) => {
      // Loaded when asked for: the brokers' libraries would slow down every other command.
      const { serve, settingsOf } = await import("./serve-run.js");
      onDone(await serve(settingsOf(flags, process.env)));
    });
}
