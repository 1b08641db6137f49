import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { noteProcess } from "./process-guard.js";
import { endProcess, identifyProcess, killProcess, signalProcess } from "./process-identity.js";

export interface ChildProgramOptions {
  /** Of a process guard: the program is ended should this process die. */
  readonly guardDirectory?: string | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Its working directory. Default: ours. */
  readonly cwd?: string | undefined;
  /** The program that starts Node.js instead of us, and becomes it: its name and arguments. */
  readonly startedBy?: readonly string[] | undefined;
  /** Is told each line as it comes. */
  readonly onLine?: ((line: string) => void) | undefined;
}

export interface ProgramEnd {
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

/** A Node.js program that runs as a process of its own. */
export interface ChildProgram {
  readonly pid: number;
  /** Resolves when it has ended and all that it printed was read. */
  readonly ended: Promise<ProgramEnd>;
  /** Of both outputs, in the order in which they came; the last 1,000. */
  readonly lines: readonly string[];
  /** Resolves with the first line that matches, also one that was printed before; rejects if it ends without it. */
  line(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray>;
  /** SIGTERM, and SIGKILL when that did not end it in time. */
  end(gracefulMs?: number): Promise<ProgramEnd>;
  /** One that has ended is no error. */
  signal(name: NodeJS.Signals): void;
  kill(): Promise<ProgramEnd>;
}

const MAX_LINES = 1_000;

export function startProgram(
  file: string,
  programArguments: readonly string[],
  options: ChildProgramOptions = {},
): ChildProgram {
  const [command = process.execPath, ...before] = [...(options.startedBy ?? []), process.execPath];
  const child = spawn(command, [...before, file, ...programArguments], {
    env: options.env ?? process.env,
    cwd: options.cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${file} could not be started`);
  const identity = (options.guardDirectory === undefined
    ? identifyProcess(pid)
    : noteProcess(options.guardDirectory, pid)) ?? { pid, startTime: "gone" };

  const lines: string[] = [];
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of [...listeners]) listener();
  };
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      if (lines.length > MAX_LINES) lines.shift();
      options.onLine?.(line);
      tell();
    });
  }
  let end: ProgramEnd | undefined;
  const ended = new Promise<ProgramEnd>((resolve) => {
    child.once("close", (exitCode, signal) => {
      end = { exitCode: exitCode ?? undefined, signal: signal ?? undefined };
      resolve(end);
      tell();
    });
  });

  return {
    pid,
    ended,
    lines,
    line: (pattern, timeoutMs) =>
      new Promise((resolve, reject) => {
        const settle = (act: () => void): void => {
          clearTimeout(timer);
          listeners.delete(look);
          act();
        };
        const fail = (why: string): void =>
          settle(() => reject(new Error(`${why}; it printed:\n${lines.slice(-20).join("\n")}`)));
        const look = (): void => {
          const match = lines.map((line) => pattern.exec(line)).find((found) => found !== null);
          if (match) settle(() => resolve(match));
          else if (end !== undefined) fail(`${file} ended with ${end.exitCode ?? end.signal} before ${pattern}`);
        };
        const timer = setTimeout(() => fail(`waited ${timeoutMs} ms for ${pattern} from ${file}`), timeoutMs);
        listeners.add(look);
        look();
      }),
    async end(gracefulMs = 10_000) {
      await endProcess(identity, gracefulMs);
      return ended;
    },
    signal: (name) => signalProcess(identity, name),
    async kill() {
      await killProcess(identity);
      return ended;
    },
  };
}
