import { MessagingError } from "../../src/errors/messaging-error.js";
import type { AmqpTable } from "./amqp.js";
import type { BrokerQueue } from "./broker-queue.js";
import type { DeclarationTurns } from "./declaration-turns.js";
import type { DeclaringChannel } from "./declaring-channel.js";
import { toMessagingError, withContext } from "./errors.js";
import type { DelayLadder } from "./ladder.js";
import type { ResolvedRabbitmqOptions } from "./options.js";
import type { ServerRules } from "./server-rules.js";

/**
 * A round trip through a quorum queue takes up to three times as long, and requests need not outlive the broker: their
 * messages are transient. Nothing leads from here to dead letters, so what expires is dropped.
 */
const LANE_ARGUMENTS: AmqpTable = { "x-queue-type": "classic" };

/** Makes, or looks for, what is published to and consumed from, on one link. */
export class Topology {
  readonly #channel: DeclaringChannel;
  readonly #options: ResolvedRabbitmqOptions;
  readonly #rules: ServerRules;
  readonly #ladder: DelayLadder;
  readonly #turns: DeclarationTurns;
  #ladderReady: Promise<void> | undefined;
  #endReady: Promise<void> | undefined;

  constructor(
    channel: DeclaringChannel,
    options: ResolvedRabbitmqOptions,
    rules: ServerRules,
    ladder: DelayLadder,
    turns: DeclarationTurns,
  ) {
    this.#channel = channel;
    this.#options = options;
    this.#rules = rules;
    this.#ladder = ladder;
    this.#turns = turns;
  }

  queue(queue: BrokerQueue): Promise<void> {
    return this.#turns.run(queue.name, () => this.#queue(queue));
  }

  /** The dead-letter queue first: while it is missing, the broker keeps what should go there for minutes, unseen. */
  async #queue({ name, deadLetterQueue, isLane }: BrokerQueue): Promise<void> {
    if (isLane) return this.#oneQueue(name, LANE_ARGUMENTS);
    if (deadLetterQueue === undefined) return this.#oneQueue(name, this.#deadArguments());
    await this.#oneQueue(deadLetterQueue, this.#deadArguments());
    await this.#oneQueue(name, this.#mainArguments(deadLetterQueue));
  }

  /**
   * Binds a queue that is consumed to the end of the ladder, which is declared as far as that takes: a queue that was deleted
   * and declared anew would otherwise miss what was delayed for it.
   */
  async reachable(queue: string): Promise<void> {
    if (!this.#rules.quorum || this.#options.topology !== "declare") return;
    this.#endReady ??= this.#channel
      .run((channel) => this.#ladder.declareEnd(channel))
      .catch((error: unknown) => {
        this.#endReady = undefined;
        throw withContext("delay ladder", error);
      });
    await this.#endReady;
    await this.#bind(queue);
  }

  /** The ladder once per link, then the way from it to this queue, which must have been declared. */
  async delayTo(queue: string): Promise<void> {
    if (!this.#rules.quorum) {
      const hint = "upgrade the broker, or publish without delay";
      throw new MessagingError(
        "UNSUPPORTED",
        `delays need RabbitMQ 3.10, this broker is ${this.#rules.version}: ${hint}`,
      );
    }
    if (this.#options.topology === "none") return;
    await this.#wholeLadder();
    if (this.#options.topology === "declare") await this.#bind(queue);
  }

  /** Something of it was found missing: the next delay makes the ladder again. */
  forgetLadder(): void {
    this.#ladderReady = undefined;
  }

  /**
   * Whether a refusal can only mean that there is no leader just now: a quorum queue that this side declares without a bound,
   * or the ladder, which is made of such.
   */
  refusesOnlyWithoutLeader({ isLane, deadLetterQueue }: BrokerQueue, byLadder: boolean): boolean {
    const { topology, queueType, deadMaxMessages } = this.#options;
    if (topology !== "declare") return false;
    if (byLadder) return true;
    return queueType === "quorum" && !isLane && (deadLetterQueue !== undefined || deadMaxMessages === undefined);
  }

  async broadcast(name: string): Promise<void> {
    try {
      await this.#channel.run(
        async (channel) => {
          if (this.#options.topology === "declare") await channel.assertExchange(name, "headers", { durable: true });
          if (this.#options.topology === "check") await channel.checkExchange(name);
        },
        { subject: `broadcast ${name}` },
      );
    } catch (error) {
      throw withContext(`broadcast "${name}"`, error);
    }
  }

  #wholeLadder(): Promise<void> {
    this.#ladderReady ??= this.#channel
      .run((channel) =>
        this.#options.topology === "declare" ? this.#ladder.declare(channel) : this.#ladder.check(channel),
      )
      .catch((error: unknown) => {
        this.#ladderReady = undefined;
        throw withContext("delay ladder", error);
      });
    return this.#ladderReady;
  }

  /** The end of the ladder may have been deleted since it was declared, and with it what led there: then all is made again. */
  async #bind(queue: string): Promise<void> {
    const bind = (): Promise<void> =>
      this.#channel.run((channel) => this.#ladder.bind(channel, queue), { subject: `the way to ${queue}` });
    try {
      await bind();
    } catch (error) {
      if (toMessagingError(error).code !== "NOT_FOUND") throw error;
      this.forgetLadder();
      await this.#wholeLadder();
      await bind();
    }
  }

  async #oneQueue(name: string, args: AmqpTable): Promise<void> {
    try {
      await this.#channel.run(
        async (channel) => {
          if (this.#options.topology === "declare") await channel.assertQueue(name, { durable: true, arguments: args });
          if (this.#options.topology === "check") await channel.checkQueue(name);
        },
        { subject: `queue ${name}` },
      );
    } catch (error) {
      const { "x-delivery-limit": limit, ...rest } = args;
      // Declared before the broker was upgraded to 4.0: usable as it is, with the broker's limit of 20 deliveries.
      if (limit !== undefined && /inequivalent arg 'x-delivery-limit'/.test(String(error))) {
        return this.#oneQueue(name, rest);
      }
      throw withContext(`queue "${name}"${wantedIn(args, error)}`, error);
    }
  }

  #mainArguments(deadLetterQueue: string): AmqpTable {
    return {
      ...this.#typeArguments(),
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": deadLetterQueue,
      // At least once needs the overflow rule, which without a limit on length never bites.
      ...(this.#options.queueType === "quorum"
        ? { "x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish" }
        : {}),
    };
  }

  #deadArguments(): AmqpTable {
    const most = this.#options.deadMaxMessages;
    return {
      ...this.#typeArguments(),
      ...(most === undefined ? {} : { "x-max-length": most, "x-overflow": "reject-publish" }),
    };
  }

  #typeArguments(): AmqpTable {
    const unlimited = this.#options.queueType === "quorum" && this.#rules.unlimitedDeliveries;
    return { "x-queue-type": this.#options.queueType, ...(unlimited ? { "x-delivery-limit": -1 } : {}) };
  }
}

/** What a refusal that was cut off does not say any more. */
function wantedIn(args: AmqpTable, error: unknown): string {
  const text = String(error);
  const property = /inequivalent arg '([^']+)'/.exec(text)?.[1];
  if (property === undefined || / but current is /.test(text)) return "";
  return ` (wanted: ${property} = ${String(args[property] ?? "none")})`;
}
