import type { Codec } from "../ports/codec.js";
import type { Delivery, MessageHeaders } from "../ports/message.js";
import type { ActiveDelivery } from "./active-delivery.js";
import { decodeBody, withoutReserved } from "./wire-message.js";

/** What a handler sees of a delivery. A class, because an object that is written down with a getter takes thirty times as long. */
export class HandledDelivery<T> implements Delivery<T> {
  readonly body: T;
  readonly headers: MessageHeaders;
  readonly messageId: string;
  readonly correlationId: string | undefined;
  readonly redelivered: boolean;
  readonly attempt: number;
  readonly #delivery: ActiveDelivery;

  /** Throws `MALFORMED`. */
  constructor(codec: Codec<T>, delivery: ActiveDelivery) {
    const { message } = delivery.wire;
    this.body = decodeBody(codec, message);
    this.headers = withoutReserved(message.headers);
    this.messageId = message.messageId;
    this.correlationId = message.correlationId;
    this.redelivered = delivery.isRedelivered;
    this.attempt = delivery.attempt;
    this.#delivery = delivery;
  }

  get signal(): AbortSignal {
    return this.#delivery.signal;
  }

  /** As one listener of the signal, which need not be made for it. */
  onAborted(listener: () => void): void {
    this.#delivery.onAborted(listener);
  }

  get settled(): Promise<boolean> {
    return this.#delivery.settled;
  }
}
