import type { Entry, FactOf } from "./journal.js";
import { DEFAULT_RESUME_MS } from "./simulated-server.js";

/** Between what is seen here and what the other end knows of it. */
const SLACK_MS = 1_000;

interface Outage {
  readonly sinceMs: number;
  /** Of the last Resume before; a later one ends it. */
  readonly counter: number;
  /** It was the server that was cut off: any word of it ends that. */
  readonly isServers: boolean;
}

/** How long calls were cut off. As long as their servers wait, they must go on. */
export class Outages {
  readonly #open = new Map<number, Outage>();
  readonly #long = new Set<number>();
  readonly #calls = new Map<number, number>();
  /** When their handlers were done. */
  readonly #overMs = new Map<number, number>();
  readonly #patienceMs = new Map<number, number>();

  /** Whether the call was ever cut off for about as long as its server waits or longer, or ended so long ago. */
  isLong(call: number, nowMs: number): boolean {
    this.#close(call, nowMs);
    return this.#long.has(call) || this.#isLong(call, this.#overMs.get(call) ?? nowMs, nowMs);
  }

  begin(call: number, atMs: number, { counter, isServers }: Omit<Outage, "sinceMs">): void {
    this.#open.set(call, { sinceMs: this.#open.get(call)?.sinceMs ?? atMs, counter, isServers });
  }

  see({ atMs, fact }: Entry): void {
    switch (fact.type) {
      case "run":
        this.#onRun(fact);
        return;
      case "run-over":
        this.#overMs.set(this.#calls.get(fact.run) ?? -1, atMs);
        return;
      case "resume-heard":
        if (fact.counter > (this.#open.get(fact.call)?.counter ?? fact.counter)) this.#close(fact.call, atMs);
        return;
      case "arrived":
      case "alive":
        if (this.#open.get(fact.call)?.isServers) this.#close(fact.call, atMs);
    }
  }

  #onRun({ run, call, resumeMs }: FactOf<"run">): void {
    this.#calls.set(run, call);
    this.#patienceMs.set(call, Math.min(this.#patienceMs.get(call) ?? DEFAULT_RESUME_MS, resumeMs));
  }

  #close(call: number, atMs: number): void {
    const outage = this.#open.get(call);
    if (outage === undefined) return;
    this.#open.delete(call);
    if (this.#isLong(call, outage.sinceMs, atMs)) this.#long.add(call);
  }

  #isLong(call: number, sinceMs: number, nowMs: number): boolean {
    return nowMs - sinceMs >= (this.#patienceMs.get(call) ?? DEFAULT_RESUME_MS) - SLACK_MS;
  }
}
