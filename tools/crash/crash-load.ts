import { type ChildProgram, startProgram } from "../process/child-program.js";
import { identifyProcess, signalProcess } from "../process/process-identity.js";
import { FAIRLEAD } from "../process/serve-process.js";
import type { CrashOptions } from "./crash-options.js";

/** What `fairlead load --json` says at its end, as far as it counts here. */
export interface LoadOutcome {
  readonly posted: number;
  readonly received: number;
  readonly duplicates: number;
  readonly lost: number;
  readonly notPosted: number;
  readonly unknown: number;
  readonly acksFailed: number;
  readonly longestGapMs: number;
}

/** Longer than any restart takes. */
const TIMEOUT = "120s";
const DRAIN = "60s";
/** Enough for every run: it is stopped when the kills are over. */
const ENDLESS = 9_000_000;

/** `fairlead load`, as a process. */
export class CrashLoad {
  readonly #program: ChildProgram;

  constructor(servers: readonly string[], { rate, subscribers }: CrashOptions, guardDirectory: string) {
    const at = servers.flatMap((server) => ["--server", server]);
    const much = ["--rate", rate, "--subscribers", subscribers, "--events", ENDLESS, "--warmup", "1s"].map(String);
    const flags = ["load", "--json", ...at, ...much, "--timeout", TIMEOUT, "--drain", DRAIN];
    this.#program = startProgram(FAIRLEAD, flags, { guardDirectory });
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** As it said last. */
  get posted(): number {
    return this.#told(/(\d+) posted/);
  }

  /** As it said last. */
  get received(): number {
    return this.#told(/(\d+) received/);
  }

  get lastLine(): string {
    return this.#program.lines.at(-1) ?? "it printed nothing";
  }

  /** Resolves when events flow. */
  async flows(timeoutMs: number): Promise<void> {
    await this.#program.line(/[1-9]\d* received/, timeoutMs);
  }

  /** Ends the posting; resolves with the result once everything has come or is lost. */
  async finish(): Promise<LoadOutcome> {
    const identity = identifyProcess(this.#program.pid);
    if (identity !== undefined) signalProcess(identity, "SIGTERM");
    await this.#program.ended;
    const line = this.#program.lines.filter((text) => text.startsWith("{")).at(-1);
    if (line === undefined) throw new Error(`the load told no result: ${this.lastLine}`);
    return JSON.parse(line) as LoadOutcome;
  }

  async kill(): Promise<void> {
    await this.#program.kill();
  }

  #told(pattern: RegExp): number {
    for (const line of [...this.#program.lines].reverse()) {
      const told = pattern.exec(line)?.[1];
      if (told !== undefined) return Number(told);
    }
    return 0;
  }
}
