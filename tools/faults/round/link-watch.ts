import type { Observer } from "../../../src/index.js";
import { becomes } from "./becomes.js";

const TOLD_MS = 10_000;

/** Counts how often links were lost, as those who use them are told: a fault that nobody was told of did not happen. */
export class LinkWatch {
  #losses = 0;

  /** For each node whose links are meant. */
  readonly observer: Observer = (observation) => {
    if (observation.type === "connection" && observation.state === "reconnecting") this.#losses += 1;
  };

  get losses(): number {
    return this.#losses;
  }

  /** What is wrong when nobody is told of another loss in time. */
  async lostSince(losses: number, what: string, timeoutMs = TOLD_MS): Promise<readonly string[]> {
    const isLost = await becomes(() => this.#losses > losses, timeoutMs);
    return isLost ? [] : [`${what}: no link was lost by it`];
  }
}
