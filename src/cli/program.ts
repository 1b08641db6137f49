import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Command } from "commander";
import { addDeadCommand } from "./dead.js";
import { addEventsCommand } from "./events.js";
import { EXIT_CODE, EXIT_CODE_HELP, type ExitCode } from "./exit-code.js";
import { BadInput } from "./failure.js";
import { addHealthCommand } from "./health.js";
import { addLoadCommand } from "./load.js";
import { addPostCommand } from "./post.js";
import { addRequestCommand } from "./request.js";
import { addServeCommand } from "./serve.js";
import { addSubscribeCommand } from "./subscribe.js";

/** Runs the command that the arguments name, and resolves with the exit code. Rejects with what the command threw. */
export async function runProgram(args: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = EXIT_CODE.ok;
  const onDone = (result: ExitCode): void => {
    code = result;
  };
  const program = new Command("fairlead")
    .description("Durable events and streamed requests, over gRPC and the broker of your choice.")
    .version(version())
    .addHelpText("after", EXIT_CODE_HELP)
    .helpCommand(false)
    .allowExcessArguments()
    // Errors are thrown and become one line; what is asked for (help, version) is written.
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .action((_, command: Command) => {
      const [unknown] = command.args;
      const fault = unknown === undefined ? "no command was given" : `unknown command ${JSON.stringify(unknown)}`;
      throw new BadInput(
        `${fault}; known are serve, post, subscribe, request, load, health, dead and events (see fairlead --help)`,
      );
    });
  addServeCommand(program, onDone);
  addPostCommand(program, onDone);
  addSubscribeCommand(program, onDone);
  addRequestCommand(program, onDone);
  addLoadCommand(program, onDone);
  addHealthCommand(program, onDone);
  addDeadCommand(program, onDone);
  addEventsCommand(program, onDone);
  await program.parseAsync(args, { from: "user" });
  return code;
}

function version(): string {
  const path = createRequire(import.meta.url).resolve("fairlead/package.json");
  return (JSON.parse(readFileSync(path, "utf8")) as { readonly version: string }).version;
}
