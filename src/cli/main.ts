#!/usr/bin/env node
import { EXIT_CODE } from "./exit-code.js";
import { exitCodeOf, failureText } from "./failure.js";
import { runProgram } from "./program.js";

/** Time for what is written last; then a handle that somebody forgot must not keep the process. */
const LINGER_MS = 2_000;

function fail(error: unknown): void {
  const code = exitCodeOf(error);
  if (code !== EXIT_CODE.ok) process.stderr.write(`${failureText(error)}\n`);
  process.exitCode = code;
}

/** For what no command awaits: a bug, so the state is unknown, and the process ends. */
function crash(error: unknown): never {
  process.stderr.write(`${failureText(error)}\n`);
  process.exit(EXIT_CODE.failed);
}

process.on("uncaughtException", crash);
process.on("unhandledRejection", crash);
// Whoever read the logs is gone: that is no reason to stop.
process.stderr.on("error", () => undefined);
// Each writer is told of its own failed write.
process.stdout.on("error", () => undefined);

try {
  process.exitCode = await runProgram(process.argv.slice(2));
} catch (error) {
  fail(error);
}
setTimeout(() => process.exit(), LINGER_MS).unref();
