import { MessagingError } from "../../src/errors/messaging-error.js";
import type { AmqpChannel } from "./amqp.js";
import { type ArrivalParts, toDelivery } from "./arrivals.js";
import type { RabbitmqDelivery } from "./delivery.js";
import type { ConsumerShare } from "./prefetch-share.js";

/** A channel on which messages of one queue are taken one by one. */
export class TakingChannel {
  readonly #channel: AmqpChannel;
  readonly #parts: ArrivalParts;
  readonly #share: ConsumerShare = { prefetch: 0, out: 0, cancelled: false, consumerTag: undefined };
  #error: unknown;
  #closing: Promise<void> | undefined;

  /** `onClosed`: whoever closed it. What was out is with the broker again. */
  constructor(channel: AmqpChannel, parts: ArrivalParts, onClosed: () => void) {
    this.#channel = channel;
    this.#parts = parts;
    channel.on("error", (error) => {
      this.#error = error;
    });
    channel.on("close", () => {
      this.#error ??= new MessagingError("UNAVAILABLE", "the channel on which messages are taken was lost");
      parts.settling.end();
      onClosed();
    });
  }

  /** Nothing is out. */
  get isEmpty(): boolean {
    return this.#parts.settling.out === 0;
  }

  /** The next message that is to be seen; undefined when none is ready. */
  async take(): Promise<RabbitmqDelivery | undefined> {
    try {
      for (;;) {
        const received = await this.#channel.get(this.#parts.queue.name, { noAck: false });
        if (received === false) return undefined;
        const delivery = toDelivery(received, this.#share, this.#parts);
        if (delivery !== undefined) return delivery;
      }
    } catch (error) {
      throw this.#error ?? error;
    }
  }

  /** Flushes what was settled; what was not goes back to the queue. May stay open for good when the link dies. */
  close(): Promise<void> {
    this.#closing ??= this.#parts.settling
      .flush()
      .then(() => this.#channel.close())
      .catch(() => {});
    return this.#closing;
  }
}
