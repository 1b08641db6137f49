import type { Command } from "commander";
import { EXIT_CODE_HELP, type ExitCode } from "./exit-code.js";
import { addServeFlags } from "./serve-flags.js";
import type { ServeFlags } from "./serve-run.js";

export function addServeCommand(program: Command, onDone: (code: ExitCode) => void): void {
  const command = program
    .command("serve")
    .allowExcessArguments(false)
    .description("Serve events and request sinks over gRPC, on the broker that the URL names.")
    .option("--config <file>", 'a JSON file with these settings, keys in camel case: {"ackTimeoutMs": 5000}');
  addServeFlags(command);
  command
    .addHelpText(
      "after",
      `
A flag wins over the environment, the environment over the file, the file over the default.
When ready, one line goes to standard output: fairlead ready listen=HOST:PORT broker=URL pid=N node=ID
--sink: a module that exports sinks, a record of request sinks by name, and perhaps options, a record of the options with
which to serve them; bodies are JSON unless a codec there says otherwise. gRPC clients reach these sinks, and those of
--remote-sinks, over the broker. Paths are relative to the working directory.
SIGTERM and SIGINT drain and exit with 0; a second one exits at once.
${EXIT_CODE_HELP}`,
    )
    .action(async (flags: ServeFlags) => {
      // Loaded when asked for: the brokers' libraries would slow down every other command.
      const { serve, settingsOf } = await import("./serve-run.js");
      onDone(await serve(settingsOf(flags, process.env)));
    });
}
