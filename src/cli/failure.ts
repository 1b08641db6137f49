import { CommanderError } from "commander";
import { type ErrorCode, MessagingError } from "../errors/messaging-error.js";
import { errorText } from "../util/error-text.js";
import { CallFailed, type StatusName } from "./call-failed.js";
import { EXIT_CODE, type ExitCode } from "./exit-code.js";

/** What the user gave cannot be used; the message says what and how to fix it. */
export class BadInput extends Error {
  override readonly name = "BadInput";
}

const BAD_INPUT_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["INVALID_ARGUMENT", "TOO_LARGE", "MALFORMED"]);

/** What a server says of input that it will never take. */
const BAD_INPUT_STATUS: ReadonlySet<StatusName> = new Set(["INVALID_ARGUMENT", "OUT_OF_RANGE", "RESOURCE_EXHAUSTED"]);

let withStack = false;

/** Whether failures show where in the program they came from; off until a command says otherwise. */
export function showStacks(shown: boolean): void {
  withStack = shown;
}

/** The one line that an error gets, with its stack behind it where stacks are shown. */
export function failureText(error: unknown): string {
  const text = errorText(error);
  const code = MessagingError.is(error) ? ` (${error.code})` : "";
  const line = `fairlead: ${oneLine(text.replace(/^error: /, ""))}${code}`;
  return withStack && error instanceof Error ? `${line}\n${error.stack ?? ""}` : line;
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof BadInput) return EXIT_CODE.badInput;
  // Help and version come this way too, with 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODE.ok : EXIT_CODE.badInput;
  if (error instanceof CallFailed) {
    return BAD_INPUT_STATUS.has(error.status) ? EXIT_CODE.badInput : EXIT_CODE.failed;
  }
  return MessagingError.is(error) && BAD_INPUT_CODES.has(error.code) ? EXIT_CODE.badInput : EXIT_CODE.failed;
}

/** Control characters, line ends among them, become spaces: what was given by others must stay within its line. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
}
