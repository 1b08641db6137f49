import type { MachineClock } from "./machine-clock.js";
import { TransientLane } from "./transient-lane.js";
import type { Turns } from "./turns.js";

/** The lanes of one file's queues with lanes. They are in no file, and outlive the last connection of this process to it. */
export class TransientLanes {
  readonly #clock: MachineClock;
  readonly #turns: Turns;
  readonly #lanes = new Map<string, TransientLane>();

  constructor(clock: MachineClock, turns: Turns) {
    this.#clock = clock;
    this.#turns = turns;
  }

  /** Made if need be. */
  lane(queue: string, lane: string): TransientLane {
    const name = `${queue}.${lane}`;
    const present = this.#lanes.get(name);
    if (present !== undefined) return present;
    const made = new TransientLane(name, this.#clock, this.#turns);
    this.#lanes.set(name, made);
    return made;
  }

  /** What is empty is forgotten. True: nothing is left. */
  sweep(): boolean {
    for (const [name, lane] of this.#lanes) if (lane.size === 0) this.#lanes.delete(name);
    return this.#lanes.size === 0;
  }
}
