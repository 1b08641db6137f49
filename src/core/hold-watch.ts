import type { Cancel, Clock } from "../ports/clock.js";
import type { Chain } from "../util/chain.js";
import type { ActiveDelivery } from "./active-delivery.js";

/** Parts of the time that the broker leaves us. What waits for longer than this would leave its handler too little. */
const WAITING_PART = 0.5;
const WARNING_PART = 0.8;
/** The rest is for the settlement to get there. */
const DEADLINE_PART = 0.95;
/** Those that come one after the other are looked at together. */
const GRAIN_PART = 0.01;

export interface HoldWatchOptions {
  readonly clock: Clock;
  /** After this the broker takes a delivery back, and with it all that came through the same consumer. */
  readonly limitMs: number;
  /** What is unsettled, in the order of arrival. */
  readonly deliveries: Chain<ActiveDelivery>;
  /** Gives it back if no handler has it yet; false: one has, or had it. */
  giveBack(delivery: ActiveDelivery): boolean;
  onWarning(delivery: ActiveDelivery, heldMs: number): void;
  onDeadline(delivery: ActiveDelivery, heldMs: number): void;
}

/**
 * Sees which deliveries are held for long, with one timer for all: it is set for the oldest alone, so that a message that is
 * settled in time costs nothing but the note of its arrival.
 */
export class HoldWatch {
  readonly #options: HoldWatchOptions;
  readonly #waitingMs: number;
  readonly #warningMs: number;
  readonly #deadlineMs: number;
  #timer: Cancel | undefined;
  #isStopped = false;

  constructor(options: HoldWatchOptions) {
    this.#options = options;
    this.#waitingMs = options.limitMs * WAITING_PART;
    this.#warningMs = options.limitMs * WARNING_PART;
    this.#deadlineMs = options.limitMs * DEADLINE_PART;
  }

  /** One more is unsettled. It may come after `stop`, from a driver whose own stop hangs. */
  arrived(delivery: ActiveDelivery): void {
    delivery.arrivedAt = this.#options.clock.now();
    if (this.#timer === undefined && !this.#isStopped) this.#wait(this.#waitingMs);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.();
    this.#timer = undefined;
  }

  #wait(ms: number): void {
    this.#timer = this.#options.clock.setTimer(ms, this.#look);
  }

  readonly #look = (): void => {
    const { clock, limitMs, deliveries, giveBack, onWarning, onDeadline } = this.#options;
    this.#timer = undefined;
    const now = clock.now();
    let nextMs = Number.POSITIVE_INFINITY;
    const held = deliveries.all();
    // By a clock that was set back they have not come yet, and would be held for as much longer.
    for (const delivery of held) delivery.arrivedAt = Math.min(delivery.arrivedAt, now);
    for (const delivery of held) {
      if (delivery.taken) continue;
      const heldMs = now - delivery.arrivedAt;
      if (heldMs < this.#waitingMs) {
        // All others came later.
        nextMs = Math.min(nextMs, this.#waitingMs - heldMs);
        break;
      }
      if (giveBack(delivery)) continue;
      // Also where this process stood still from before the warning until after the deadline.
      if (heldMs >= this.#warningMs && !delivery.isLongHeld) {
        delivery.isLongHeld = true;
        onWarning(delivery, heldMs);
      }
      if (heldMs >= this.#deadlineMs) onDeadline(delivery, heldMs);
      else nextMs = Math.min(nextMs, (heldMs < this.#warningMs ? this.#warningMs : this.#deadlineMs) - heldMs);
    }
    if (nextMs < Number.POSITIVE_INFINITY && !this.#isStopped) this.#wait(Math.max(nextMs, limitMs * GRAIN_PART));
  };
}
