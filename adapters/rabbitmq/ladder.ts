import { createHash } from "node:crypto";
import type { AmqpChannel } from "./amqp.js";

/** How a message takes the ladder: where it enters, and the way that its routing key describes. */
export interface LadderRoute {
  readonly exchange: string;
  readonly routingKey: string;
}

/** Longer names are hashed: the routing key has 255 bytes, the way takes 52, base64 makes four of three. */
const MAX_PLAIN_BYTES = 150;

/**
 * One shared set of queues that delay: level n holds a message for 2^n seconds. A message passes the levels of its
 * delay's set bits, highest first, and then goes to its target; so a short delay never waits behind a long one, and
 * every whole second is possible. The routing key is one word for each bit, then the target as one word.
 */
export class DelayLadder {
  readonly #prefix: string;
  readonly #levels: number;

  constructor(prefix = "fairlead.delay.v1", levels = 26) {
    this.#prefix = prefix;
    this.#levels = levels;
  }

  /** The longest delay, in seconds. A longer one takes the ladder several times. */
  get maxSeconds(): number {
    return 2 ** this.#levels - 1;
  }

  /** Whether a queue is one of the levels. */
  owns(queue: string): boolean {
    return queue.startsWith(`${this.#prefix}.`);
  }

  /** For 1 to maxSeconds. */
  route(seconds: number, target: string): LadderRoute {
    const bits = seconds.toString(2).padStart(this.#levels, "0");
    const top = this.#levels - 1 - bits.indexOf("1");
    return { exchange: this.#level(top), routingKey: `${[...bits].join(".")}.${encodedTarget(target)}` };
  }

  /** Declares all levels, lowest first, so that none ever leads nowhere. */
  async declare(channel: AmqpChannel): Promise<void> {
    await this.declareEnd(channel);
    for (let level = 0; level < this.#levels; level += 1) {
      const name = this.#level(level);
      const below = level === 0 ? this.#delivery : this.#level(level - 1);
      await channel.assertExchange(name, "topic", { durable: true });
      await channel.assertQueue(name, {
        durable: true,
        arguments: {
          "x-queue-type": "quorum",
          "x-message-ttl": 2 ** level * 1000,
          "x-dead-letter-exchange": below,
          "x-dead-letter-strategy": "at-least-once",
          "x-overflow": "reject-publish",
        },
      });
      const above = "*.".repeat(this.#levels - 1 - level);
      await channel.bindQueue(name, name, `${above}1.#`);
      await channel.bindExchange(below, name, `${above}0.#`);
    }
  }

  /**
   * Declares where the ladder ends. What finds no queue there, because its target was deleted, is kept in a queue of its own:
   * unroutable it would stay with the last level, and soon hold up everything that passes there.
   */
  async declareEnd(channel: AmqpChannel): Promise<void> {
    const parking = this.#parking;
    await channel.assertExchange(parking, "fanout", { durable: true });
    await channel.assertQueue(parking, { durable: true, arguments: { "x-queue-type": "quorum" } });
    await channel.bindQueue(parking, parking, "");
    await channel.assertExchange(this.#delivery, "topic", { durable: true, alternateExchange: parking });
  }

  async check(channel: AmqpChannel): Promise<void> {
    await channel.checkExchange(this.#delivery);
    for (let level = 0; level < this.#levels; level += 1) {
      await channel.checkExchange(this.#level(level));
      await channel.checkQueue(this.#level(level));
    }
  }

  /** Lets a queue receive what was delayed for it. The queue must be there. */
  async bind(channel: AmqpChannel, target: string): Promise<void> {
    await channel.bindQueue(target, this.#delivery, `#.${encodedTarget(target)}`);
  }

  get #delivery(): string {
    return `${this.#prefix}.delivery`;
  }

  get #parking(): string {
    return `${this.#prefix}.undeliverable`;
  }

  #level(level: number): string {
    return `${this.#prefix}.${String(level).padStart(2, "0")}`;
  }
}

/** Any queue name as one word of a topic: without dots, and never a wildcard. */
export function encodedTarget(target: string): string {
  const bytes = Buffer.from(target, "utf8");
  if (bytes.length <= MAX_PLAIN_BYTES) return bytes.toString("base64url");
  // The tilde is no letter of base64, so a hash equals no plain word.
  return `~${createHash("sha256").update(bytes).digest("base64url")}`;
}
