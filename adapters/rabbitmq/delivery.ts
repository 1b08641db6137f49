import type { WireDelivery, WireMessage, WireSettlement } from "../../src/driver/driver.js";
import type { AmqpMessage } from "./amqp.js";
import type { ConsumerShare } from "./prefetch-share.js";
import type { Settling, Taken } from "./settling.js";

/** One delivery, until it is settled. */
export class RabbitmqDelivery implements WireDelivery, Taken {
  readonly message: WireMessage;
  readonly deliveries: number | undefined;
  readonly received: AmqpMessage;
  readonly share: ConsumerShare;
  readonly #settling: Settling;
  #settled: Promise<boolean> | undefined;

  constructor(
    message: WireMessage,
    deliveries: number | undefined,
    received: AmqpMessage,
    share: ConsumerShare,
    settling: Settling,
  ) {
    this.message = message;
    this.deliveries = deliveries;
    this.received = received;
    this.share = share;
    this.#settling = settling;
  }

  get messageId(): string {
    return this.message.messageId;
  }

  get redelivered(): boolean {
    return this.received.fields.redelivered;
  }

  /** A second call changes nothing and tells what became of the first. */
  settle(settlement: WireSettlement): Promise<boolean> {
    this.#settled ??= this.#settle(settlement);
    return this.#settled;
  }

  #settle(settlement: WireSettlement): Promise<boolean> {
    if (settlement === "ack") return this.#settling.ack(this);
    if (settlement === "release") return this.#settling.release(this);
    if ("deadLetter" in settlement) return this.#settling.deadLetter(this, settlement.deadLetter);
    return this.#settling.retry(this, settlement.headers, settlement.retryInMs);
  }
}
