import { execFile } from "node:child_process";

export interface CommandOptions {
  readonly timeoutMs: number;
  /** Default: this process's environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export interface CommandResult {
  /** Undefined if it could not be started, or was killed. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** Runs a program to its end, without a shell. Never rejects; killed when the time is over. */
export function runCommand(
  file: string,
  commandArguments: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    execFile(
      file,
      [...commandArguments],
      {
        encoding: "utf8",
        killSignal: "SIGKILL",
        maxBuffer: 16 * 1024 * 1024,
        timeout: options.timeoutMs,
        ...(options.env === undefined ? {} : { env: { ...options.env } }),
      },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : undefined;
        const notStarted = typeof error?.code === "string" ? `${error.message}\n` : "";
        resolve({ exitCode, stdout, stderr: `${notStarted}${stderr}`, timedOut: error?.killed === true });
      },
    );
  });
}
