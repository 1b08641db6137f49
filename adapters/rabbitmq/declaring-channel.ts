import type { AmqpChannel } from "./amqp.js";
import type { Link } from "./link.js";

/**
 * The channel on which queues and exchanges are declared, one action at a time: a declaration that the broker refuses
 * closes its channel, and must take nothing else with it.
 */
export class DeclaringChannel {
  readonly #link: Link;
  #channel: AmqpChannel | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(link: Link) {
    this.#link = link;
  }

  /** Rejects with what the action rejects with. Opens the channel anew when the last action cost it. */
  run<T>(action: (channel: AmqpChannel) => Promise<T>): Promise<T> {
    const result = this.#last.then(async () => action(this.#channel ?? (await this.#open())));
    this.#last = result.catch(() => {});
    return result;
  }

  async #open(): Promise<AmqpChannel> {
    const channel = await this.#link.createChannel();
    this.#channel = channel;
    channel.on("error", () => {});
    channel.on("close", () => {
      if (this.#channel === channel) this.#channel = undefined;
    });
    return channel;
  }
}
