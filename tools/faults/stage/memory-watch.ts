import { identifyProcess, signalProcess } from "../../process/process-identity.js";
import { waitUntil } from "../../process/wait-until.js";
import type { HeldMemory } from "../programs/memory-probe.js";

const ANSWER_MS = 30_000;

/** Asks a process that answers memory probes what it holds. */
export class MemoryWatch {
  #last: HeldMemory | undefined;

  /** To be told each line that the process prints. */
  read(line: string): void {
    const text = /^memory (\{.*\})$/.exec(line)?.[1];
    if (text !== undefined) this.#last = JSON.parse(text) as HeldMemory;
  }

  async ask(pid: number): Promise<HeldMemory> {
    this.#last = undefined;
    const identity = identifyProcess(pid);
    if (identity !== undefined) signalProcess(identity, "SIGUSR2");
    await waitUntil(() => this.#last !== undefined, {
      what: `process ${pid} to tell its memory`,
      timeoutMs: ANSWER_MS,
    });
    return this.#last ?? { heldBytes: 0, rssBytes: 0 };
  }
}

/** "12.3" */
export function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}
