import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

/** What `fairlead` is, in `dist/`. */
export const MAIN = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));

export interface CliResult {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
}

/** `fairlead` as a process of its own. Disposing ends it, whatever it does. */
export class CliProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exit: Promise<CliResult>;
  #stdout = "";
  #stderr = "";
  #onOutput: () => void = () => {};

  constructor(args: readonly string[], { env = {} }: CliOptions = {}) {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run npm run build first`);
    // What whoever runs the tests has set must not decide them.
    const names = ["FAIRLEAD_BROKER", "FAIRLEAD_LISTEN", "FAIRLEAD_TOKENS", "FAIRLEAD_TOKEN"];
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !names.includes(name)));
    this.#child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...inherited, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      this.#stdout += chunk.toString();
      this.#onOutput();
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr += chunk.toString();
      this.#onOutput();
    });
    this.#exit = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (code) => {
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
        this.#onOutput();
      });
    });
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error("the process did not start");
    return pid;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Nobody reads its standard output any more. */
  closeStdout(): void {
    this.#child.stdout?.destroy();
  }

  /** Resolves once what it has written so far satisfies the condition. */
  async until(what: string, condition: () => boolean, timeoutMs = 60_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!condition()) {
      const left = deadline - Date.now();
      if (left <= 0 || this.#child.exitCode !== null) throw new Error(this.#state(`waited in vain for ${what}`));
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 100));
        this.#onOutput = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Resolves when it has ended, rejects when it takes longer. */
  async exit(timeoutMs = 60_000): Promise<CliResult> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(this.#state(`did not end within ${timeoutMs} ms`))), timeoutMs);
    });
    try {
      return await Promise.race([this.#exit, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill("SIGKILL");
    await this.#exit;
  }

  #state(what: string): string {
    return `${what}; stdout: ${JSON.stringify(this.#stdout)}; stderr: ${JSON.stringify(this.#stderr)}`;
  }
}

/** Runs a command to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  await using cli = new CliProcess(args, options);
  return await cli.exit();
}

export interface ServeProcess extends AsyncDisposable {
  readonly cli: CliProcess;
  readonly address: string;
}

/**
 * `fairlead serve`, ready; on a free port and on the memory broker unless the arguments or their file say otherwise: the
 * default is a file, which the tests that run beside this one would share.
 */
export async function startServe(args: readonly string[] = [], options: CliOptions = {}): Promise<ServeProcess> {
  const listen = args.includes("--listen") || args.includes("--config") ? [] : ["--listen", "127.0.0.1:0"];
  const broker = args.includes("--config") ? {} : { FAIRLEAD_BROKER: "memory:" };
  const cli = new CliProcess(["serve", ...listen, ...args], { ...options, env: { ...broker, ...options.env } });
  try {
    await cli.until("the ready line", () => cli.stdout.includes("\n"));
    const address = /^fairlead ready listen=(\S+) /.exec(cli.stdout)?.[1];
    if (address === undefined) throw new Error(`no ready line: ${cli.stdout}`);
    return { cli, address, [Symbol.asyncDispose]: () => cli[Symbol.asyncDispose]() };
  } catch (error) {
    await cli[Symbol.asyncDispose]();
    throw error;
  }
}

/** A loopback port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}

export function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
