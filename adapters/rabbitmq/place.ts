import type { DeliveryPlace } from "../../src/driver/driver.js";
import type { ConsumerShare } from "./prefetch-share.js";
import type { Settling } from "./settling.js";

/** A delivery without its message: what the broker must be told to settle it. */
export class RabbitmqPlace implements DeliveryPlace {
  readonly tag: number;
  readonly share: ConsumerShare;
  readonly #settling: Settling;
  #settled: Promise<boolean> | undefined;

  constructor(tag: number, share: ConsumerShare, settling: Settling) {
    this.tag = tag;
    this.share = share;
    this.#settling = settling;
  }

  settle(settlement: "ack" | "release"): Promise<boolean> {
    this.#settled ??= settlement === "ack" ? this.#settling.ack(this) : this.#settling.release(this);
    return this.#settled;
  }

  /** In a way that takes the message; not if it was settled before. */
  settleBy(settle: () => Promise<boolean>): Promise<boolean> {
    this.#settled ??= settle();
    return this.#settled;
  }
}
