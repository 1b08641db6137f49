import { fileURLToPath } from "node:url";
import { type ChildProgram, type ProgramEnd, startProgram } from "./child-program.js";

/** The program `fairlead`. */
export const FAIRLEAD = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

const READY_MS = 60_000;
const TRIES = 3;

export interface ServeProcessOptions {
  readonly name: string;
  /** On 127.0.0.1. */
  readonly port: number;
  readonly broker: string;
  /** Of `fairlead serve`, besides its address and its broker. */
  readonly flags: readonly string[];
  readonly guardDirectory: string;
  /** As in `startProgram`. */
  readonly startedBy?: readonly string[] | undefined;
  readonly onLine?: ((line: string) => void) | undefined;
}

/** One `fairlead serve` process after another, on one port. */
export class ServeProcess {
  readonly name: string;
  readonly address: string;
  readonly #options: ServeProcessOptions;
  #program: ChildProgram | undefined;
  #isEnding = false;
  #hasEnded = false;
  readonly #deaths: string[] = [];

  constructor(options: ServeProcessOptions) {
    this.name = options.name;
    this.address = `127.0.0.1:${options.port}`;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#program?.pid;
  }

  /** Of the process that runs now, or ran last. */
  get lines(): readonly string[] {
    return this.#program?.lines ?? [];
  }

  /** What it died of each time that nobody ended it; but for starts without their broker, which are tried again. */
  get deaths(): readonly string[] {
    return this.#deaths;
  }

  /** Starts the process. */
  launch(): void {
    if (this.#hasEnded) throw new Error(`${this.name} was ended`);
    const { port, broker, flags, guardDirectory, startedBy, onLine } = this.#options;
    // The URL may hold a password, which does not belong among the arguments that everybody can see.
    const env = { ...process.env, FAIRLEAD_BROKER: broker };
    const options = { guardDirectory, env, startedBy, onLine };
    const program = startProgram(FAIRLEAD, ["serve", "--listen", `127.0.0.1:${port}`, ...flags], options);
    this.#program = program;
    this.#isEnding = false;
    void program.ended.then(({ exitCode, signal }) => {
      if (this.#program !== program || this.#isEnding || lacksBroker(program.lines)) return;
      this.#deaths.push(`${this.name} ended by itself with ${exitCode ?? signal}: ${lastWords(program.lines)}`);
    });
  }

  /** Resolves when it serves. One that ended before, because its broker was not there yet, is started again. */
  async ready(most = TRIES): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#program?.line(/^fairlead ready /, READY_MS);
        return;
      } catch (error) {
        if (tries >= most || !lacksBroker(this.lines)) throw error;
        await this.kill();
        this.launch();
      }
    }
  }

  /** What it died of until now was meant. */
  forgiveDeaths(): void {
    this.#deaths.length = 0;
  }

  /** Resolves with how it ended, also when nobody asked it to. */
  async ended(): Promise<ProgramEnd | undefined> {
    return this.#program?.ended;
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    this.#isEnding = true;
    await this.#program?.kill();
    this.#program = undefined;
  }

  /** From now on its end is expected. */
  signal(name: NodeJS.Signals): void {
    this.#isEnding = true;
    this.#program?.signal(name);
  }

  /** SIGTERM, on which it drains. It does not start again. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    const program = this.#program;
    this.#program = undefined;
    await program?.end();
  }
}

/** Whether this is what a server said that did not get as far as its broker. */
export function lacksBroker(lines: readonly string[]): boolean {
  if (lines.some((line) => line.startsWith("fairlead ready "))) return false;
  return lines.some((line) => /^fairlead: cannot use the broker .* \((?:UNAVAILABLE|TIMEOUT)\)$/.test(line));
}

function lastWords(lines: readonly string[]): string {
  const words = lines.filter((line) => line.trim() !== "").slice(-8);
  return words.length === 0 ? "it printed nothing" : words.join(" / ");
}
