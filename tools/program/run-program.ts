import { type Command, CommanderError } from "commander";

/** What was asked for cannot be done; the message says why and what to do. */
export class BadInput extends Error {
  override readonly name = "BadInput";
}

/** One Ctrl-C under npm comes twice: from the terminal and from npm. */
const SAME_PRESS_MS = 300;

/**
 * Reads the arguments of this process and runs the program; sets the exit code that it resolves with, 2 for bad input,
 * 1 for a failure, each with one line on standard error. The signal aborts at the first SIGINT or SIGTERM; a second one
 * ends the process at once.
 */
export async function runProgram(command: Command, run: (stopped: AbortSignal) => Promise<number>): Promise<void> {
  const stop = new AbortController();
  let stoppedAt = 0;
  const onSignal = (): void => {
    if (stop.signal.aborted && performance.now() - stoppedAt > SAME_PRESS_MS) process.exit(130);
    stoppedAt = performance.now();
    stop.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  try {
    command
      .exitOverride()
      .configureOutput({ outputError: () => {} })
      .parse();
    process.exitCode = await run(stop.signal);
  } catch (error) {
    process.exitCode = report(command, error);
  }
  process.off("SIGINT", onSignal);
  process.off("SIGTERM", onSignal);
}

function report(command: Command, error: unknown): number {
  // Help was asked for and printed.
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  const text = error instanceof Error ? error.message : String(error);
  // The library puts its suggestions on a line of their own.
  const message = error instanceof CommanderError ? text.replace(/^error: /, "").replaceAll("\n", " ") : text;
  process.stderr.write(`${command.name()}: ${message}\n`);
  return error instanceof CommanderError || error instanceof BadInput ? 2 : 1;
}
