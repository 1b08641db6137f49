import type { WireDelivery, WireMessage, WireSettlement } from "../../src/driver/driver.js";
import type { AmqpMessage } from "./amqp.js";
import { RabbitmqPlace } from "./place.js";
import type { ConsumerShare } from "./prefetch-share.js";
import type { Settling } from "./settling.js";

/** One delivery, until it is settled. */
export class RabbitmqDelivery implements WireDelivery {
  readonly message: WireMessage;
  readonly deliveries: number | undefined;
  readonly received: AmqpMessage;
  readonly place: RabbitmqPlace;
  readonly #settling: Settling;

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
    this.place = new RabbitmqPlace(received.fields.deliveryTag, share, settling);
    this.#settling = settling;
  }

  get redelivered(): boolean {
    return this.received.fields.redelivered;
  }

  /** A second call changes nothing and tells what became of the first. */
  settle(settlement: WireSettlement): Promise<boolean> {
    if (settlement === "ack" || settlement === "release") return this.place.settle(settlement);
    return this.place.settleBy(() =>
      "deadLetter" in settlement
        ? this.#settling.deadLetter(this, settlement.deadLetter)
        : this.#settling.retry(this, settlement.headers, settlement.retryInMs),
    );
  }
}
