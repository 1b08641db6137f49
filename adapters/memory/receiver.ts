import type { WireMessage } from "../../src/driver/driver.js";
import { Hop, type Pace } from "./hop.js";

/** The end of a channel without settlements: an inbox or a subscription. Passes on, in order, until it is closed. */
export class Receiver {
  readonly #hop: Hop<WireMessage>;
  #onClose: (() => void) | undefined;

  /** `onClose` takes it out of wherever it is registered. */
  constructor(pace: Pace, onMessage: (message: WireMessage) => void, onClose: () => void) {
    this.#hop = new Hop(pace, onMessage);
    this.#onClose = onClose;
  }

  receive(message: WireMessage): void {
    if (this.#onClose !== undefined) this.#hop.push(message);
  }

  /** Nothing comes through it from now on. */
  close(): void {
    this.#onClose?.();
    this.#onClose = undefined;
    this.#hop.clear();
  }
}
