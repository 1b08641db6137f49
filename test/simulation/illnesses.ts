import type { Harm } from "./journal.js";
import type { CallPlan } from "./plan.js";

/** Which of the calls that come to a process meanwhile do not suffer. */
export type Spare = (plan: CallPlan) => boolean;

interface Illness {
  readonly harm: Harm;
  readonly untilMs: number;
  readonly spare: Spare;
}

/** Processes whose calls are not healthy for a time. */
export class Illnesses {
  readonly #ofProcess = new Map<string, Illness[]>();

  fallIll(process: string, illness: Illness): void {
    this.#ofProcess.set(process, [...(this.#ofProcess.get(process) ?? []), illness]);
  }

  /** What a call suffers from that comes to the process now. */
  harmsOf(process: string, plan: CallPlan, atMs: number): readonly Harm[] {
    const all = this.#ofProcess.get(process) ?? [];
    return all.flatMap(({ harm, untilMs, spare }) => (atMs < untilMs && !spare(plan) ? [harm] : []));
  }
}
