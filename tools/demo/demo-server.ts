import { fileURLToPath } from "node:url";
import { createQueueApiClient, type QueueApiClient } from "../../adapters/grpc/index.js";
import { type ChildProgram, startProgram } from "../process/child-program.js";

const FAIRLEAD = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const READY_MS = 30_000;

export interface DemoServerOptions {
  readonly name: string;
  readonly port: number;
  readonly broker: string;
  readonly guardDirectory: string;
  /** It ended, and nobody had asked it to. */
  onDied(reason: string): void;
}

/** One `fairlead serve` process after another, on one port. */
export class DemoServer {
  readonly name: string;
  readonly address: string;
  readonly client: QueueApiClient;
  readonly #options: DemoServerOptions;
  #program: ChildProgram | undefined;
  #ended = false;

  constructor(options: DemoServerOptions) {
    this.name = options.name;
    this.address = `127.0.0.1:${options.port}`;
    this.client = createQueueApiClient(this.address);
    this.#options = options;
  }

  get pid(): number {
    return this.#program?.pid ?? 0;
  }

  /** Resolves when it is ready. More than one try is for a broker that may be down just now. */
  async start(tries = 1): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#startOnce();
        return;
      } catch (error) {
        if (attempt >= tries || this.#ended) throw error;
      }
    }
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    const program = this.#program;
    this.#program = undefined;
    await program?.kill();
  }

  /** SIGTERM, on which it drains. It does not start again. */
  async end(): Promise<void> {
    this.#ended = true;
    const program = this.#program;
    this.#program = undefined;
    this.client.close();
    await program?.end();
  }

  async #startOnce(): Promise<void> {
    const { port, broker, guardDirectory } = this.#options;
    const program = startProgram(
      FAIRLEAD,
      ["serve", "--listen", `127.0.0.1:${port}`, "--queue", "fairlead-demo", "--log-level", "error"],
      // The URL may hold a password, which does not belong among the arguments that everybody can see.
      { guardDirectory, env: { ...process.env, FAIRLEAD_BROKER: broker } },
    );
    this.#program = program;
    try {
      await program.line(/^fairlead ready /, READY_MS);
    } catch {
      if (this.#program === program) this.#program = undefined;
      await program.kill();
      throw new Error(`${this.name} did not start: ${program.lines.at(-1) ?? "it printed nothing"}`);
    }
    void program.ended.then(({ exitCode, signal }) => {
      if (this.#program !== program) return;
      this.#options.onDied(`${this.name} ended with ${exitCode ?? signal}: ${program.lines.slice(-5).join(" / ")}`);
    });
  }
}
