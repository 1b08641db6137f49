import type { Cancel, Clock } from "../ports/clock.js";
import type { ActiveDelivery } from "./active-delivery.js";

/** What was lost together comes again together: long enough for all of it to be here, and for a settlement to be on its way. */
const PAUSE_MS = 100;

/** Others are held up for no longer by one that is handled alone, or that waits for them. */
const PATIENCE_MS = 5_000;

/**
 * Deliveries that were lost half as often as ends in the dead letters. One of them may be what fells this process each time,
 * and the others are lost only for being held beside it. So each is handled alone, and of those that were lost equally often
 * the first goes first after an even number of losses, and the last after an odd one: then whoever is well has been handled
 * before the next crash, or before the one after it.
 */
export class Suspects {
  readonly #clock: Clock;
  readonly #onPaused: () => void;
  readonly #onImpatient: (deliveries: readonly ActiveDelivery[]) => void;
  readonly #deliveries: ActiveDelivery[] = [];
  /** Handed out last, and not settled. */
  #alone: ActiveDelivery | undefined;
  #pausing: Cancel | undefined;
  #waiting: Cancel | undefined;

  /** `onImpatient` is given what is to be handled as any other. */
  constructor(clock: Clock, onPaused: () => void, onImpatient: (deliveries: readonly ActiveDelivery[]) => void) {
    this.#clock = clock;
    this.#onPaused = onPaused;
    this.#onImpatient = onImpatient;
  }

  static isOne(losses: number, maxDeliveries: number): boolean {
    return losses > 0 && losses * 2 >= maxDeliveries;
  }

  get size(): number {
    return this.#deliveries.length;
  }

  /** Nothing else is to begin. */
  get areFirst(): boolean {
    return this.#deliveries.length > 0 || this.#alone !== undefined;
  }

  push(delivery: ActiveDelivery): void {
    this.#deliveries.push(delivery);
    if (this.#waiting === undefined) this.#wait();
    this.#pause();
  }

  /** Undefined while there is to be a pause. */
  next(): ActiveDelivery | undefined {
    if (this.#pausing !== undefined) return undefined;
    const least = Math.min(...this.#deliveries.map(({ losses }) => losses));
    const likely = this.#deliveries.filter(({ losses }) => losses === least);
    const chosen = likely.at(least % 2 === 0 ? 0 : -1);
    if (chosen !== undefined) this.remove(chosen);
    this.#alone = chosen;
    this.#wait();
    return chosen;
  }

  /** Any delivery was settled, or lost. */
  settled(delivery: ActiveDelivery): void {
    const wasAlone = this.#alone === delivery;
    if (wasAlone) {
      this.#alone = undefined;
      this.#wait();
    }
    // The next one may fell the process: what was settled just now is to be with the broker by then.
    if (wasAlone || this.#deliveries.length > 0) this.#pause();
  }

  /** False: it is not here. */
  remove(delivery: ActiveDelivery): boolean {
    const index = this.#deliveries.indexOf(delivery);
    if (index >= 0) this.#deliveries.splice(index, 1);
    return index >= 0;
  }

  /** Takes all of them away. */
  drain(): readonly ActiveDelivery[] {
    this.#pausing?.();
    this.#pausing = undefined;
    const all = this.#deliveries.splice(0);
    this.#wait();
    return all;
  }

  #pause(): void {
    this.#pausing ??= this.#clock.setTimer(PAUSE_MS, () => {
      this.#pausing = undefined;
      this.#onPaused();
    });
  }

  #wait(): void {
    this.#waiting?.();
    this.#waiting = undefined;
    if (!this.areFirst) return;
    this.#waiting = this.#clock.setTimer(PATIENCE_MS, () => {
      this.#alone = undefined;
      this.#onImpatient(this.drain());
    });
  }
}
