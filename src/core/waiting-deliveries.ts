import type { Clock } from "../ports/clock.js";
import { Ring } from "../util/ring.js";
import type { ActiveDelivery } from "./active-delivery.js";
import { Suspects } from "./suspects.js";

/** What has arrived and waits for a handler: suspects one by one and alone, all others in the order in which they came. */
export class WaitingDeliveries {
  readonly #maxDeliveries: number;
  readonly #others = new Ring<ActiveDelivery>();
  readonly #suspects: Suspects;

  /** `onReady` is called when one that was held up may be handled. */
  constructor(clock: Clock, maxDeliveries: number, onReady: () => void) {
    this.#maxDeliveries = maxDeliveries;
    const asOthers = (suspects: readonly ActiveDelivery[]): void => {
      for (const delivery of suspects) this.#others.push(delivery);
      onReady();
    };
    this.#suspects = new Suspects(clock, onReady, asOthers);
  }

  push(delivery: ActiveDelivery, losses: number): void {
    if (Suspects.isOne(losses, this.#maxDeliveries)) this.#suspects.push(delivery);
    else this.#others.push(delivery);
  }

  /** The one to be handled next, if there is one that may be now. `unsettled`: how many there are, these included. */
  next(unsettled: number): ActiveDelivery | undefined {
    if (!this.#suspects.areFirst) return this.#others.shift();
    // Alone: nothing else runs, waits for its retry, or has its settlement on the way.
    const isAlone = unsettled === this.#others.size + this.#suspects.size;
    return isAlone && this.#suspects.size > 0 ? this.#suspects.next() : undefined;
  }

  /** Any delivery was settled, or lost. */
  settled(delivery: ActiveDelivery): void {
    this.#suspects.settled(delivery);
  }

  /** False: it is not here. Quick for the one that has waited longest. */
  remove(delivery: ActiveDelivery): boolean {
    return this.#others.remove(delivery) || this.#suspects.remove(delivery);
  }

  /** Takes all of them away. */
  drain(): ActiveDelivery[] {
    const all = [...this.#suspects.drain(), ...this.#others];
    this.#others.clear();
    return all;
  }
}
