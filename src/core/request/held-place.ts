import type { DeliveryPlace } from "../../driver/driver.js";
import type { Priority } from "../../ports/message.js";
import type { LaneConsumers } from "./lane-consumers.js";

/** The place in the queue that a call holds, without the request, and the consumers' life through which it came. */
export class HeldPlace {
  readonly #lane: Priority;
  #place: DeliveryPlace | undefined;
  #life: LaneConsumers | undefined;

  constructor(lane: Priority) {
    this.#lane = lane;
  }

  /** False once it was settled; the call may run on without. */
  get isHeld(): boolean {
    return this.#place !== undefined;
  }

  hold(place: DeliveryPlace, life: LaneConsumers): void {
    this.#place = place;
    this.#life = life;
    life.held[this.#lane] += 1;
  }

  /** Lets go of it, which is to be settled by whoever asked. */
  take(): DeliveryPlace | undefined {
    const place = this.#place;
    if (place === undefined || this.#life === undefined) return undefined;
    this.#life.held[this.#lane] -= 1;
    this.#place = undefined;
    this.#life = undefined;
    return place;
  }
}
