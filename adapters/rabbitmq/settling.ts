import { setMaxListeners } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import type { WireMessage } from "../../src/driver/driver.js";
import type { ErrorCode } from "../../src/errors/messaging-error.js";
import type { MessageHeaders } from "../../src/ports/message.js";
import type { AmqpChannel, AmqpMessage, AmqpPublishOptions } from "./amqp.js";
import type { BrokerQueue } from "./broker-queue.js";
import { toMessagingError } from "./errors.js";
import { InFlight } from "./in-flight.js";
import { toPublishOptionsAgain } from "./mapping.js";
import type { ConsumerShare } from "./prefetch-share.js";
import type { QueuePublisher } from "./queue-publisher.js";
import { SettledTags } from "./settled-tags.js";

/** How long a message is kept back that could not be moved, lest it comes again at once and for ever. */
const KEPT_BACK_MS = 1000;

/**
 * Of a message, not of the moment: its headers with ours are more than the client can encode. What nobody knows is taken for
 * that, too: with the dead letters an operator finds it, and tried again it would come for ever.
 */
const IMPOSSIBLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["TOO_LARGE", "INVALID_ARGUMENT", "UNKNOWN"]);

/** A message that is out, and the consumer it came through. */
interface Out {
  readonly tag: number;
  readonly share: ConsumerShare;
}

/** With all that it takes to publish it again. */
interface Taken {
  readonly received: AmqpMessage;
  readonly message: WireMessage;
  readonly place: Out;
}

/** Settles what is out on one channel. Nothing here rejects: a settlement reached the broker, or was lost. */
export class Settling {
  readonly #queue: BrokerQueue;
  readonly #publisher: QueuePublisher;
  readonly #onSettled: (share: ConsumerShare) => void;
  readonly #tags: SettledTags;
  readonly #moves = new InFlight();
  readonly #over = new AbortController();

  constructor(
    channel: AmqpChannel,
    queue: BrokerQueue,
    publisher: QueuePublisher,
    onSettled: (share: ConsumerShare) => void,
  ) {
    this.#queue = queue;
    this.#publisher = publisher;
    this.#onSettled = onSettled;
    this.#tags = new SettledTags(channel);
    // As many as deliveries may be kept back at once.
    setMaxListeners(0, this.#over.signal);
  }

  get out(): number {
    return this.#tags.out;
  }

  take({ tag, share }: Out): void {
    this.#tags.add(tag);
    share.out += 1;
  }

  ack({ tag, share }: Out): Promise<boolean> {
    const reached = this.#tags.ack(tag);
    this.#settled(share);
    return reached;
  }

  async release({ tag, share }: Out): Promise<boolean> {
    const reached = this.#tags.release(tag);
    this.#settled(share);
    return reached;
  }

  retry(taken: Taken, headers: MessageHeaders, retryInMs: number): Promise<boolean> {
    const expiry = retryInMs > 0 ? "delayed" : "directly";
    const options = toPublishOptionsAgain(taken.received, taken.message.messageId, headers, expiry);
    return this.#move(taken, this.#queue, retryInMs, options);
  }

  /** What is given up while it is in the dead letters already stays there. */
  deadLetter(taken: Taken, headers: MessageHeaders): Promise<boolean> {
    const { deadLetterQueue, isLane } = this.#queue;
    const name = deadLetterQueue ?? this.#queue.name;
    const options = toPublishOptionsAgain(taken.received, taken.message.messageId, headers, "dropped");
    return this.#move(taken, { name, deadLetterQueue: undefined, isLane }, 0, options);
  }

  /** Resolves once every move that was begun is over, and its ack, like all others, handed to the link. */
  async flush(): Promise<void> {
    if (!this.#over.signal.aborted) await this.#moves.idle();
    this.#tags.flush();
  }

  /** Nothing reaches the broker any more, and nothing is kept back. */
  end(): void {
    this.#tags.lose();
    this.#over.abort();
  }

  /** Stored at its new place before it is removed from the old one. */
  async #move(taken: Taken, to: BrokerQueue, delayMs: number, options: AmqpPublishOptions): Promise<boolean> {
    if (this.#over.signal.aborted) return false;
    this.#moves.begin();
    try {
      await this.#publisher.publish(to, taken.received.content, options, delayMs);
    } catch (error) {
      this.#moves.end();
      // What cannot be published anywhere can only be given up where it is, by the broker's own hand.
      const isImpossible = IMPOSSIBLE.has(toMessagingError(error).code);
      if (isImpossible && this.#queue.deadLetterQueue !== undefined) return this.#reject(taken.place);
      await wait(KEPT_BACK_MS, undefined, { signal: this.#over.signal, ref: false }).catch(() => {});
      await this.release(taken.place);
      return false;
    }
    const reached = this.ack(taken.place);
    this.#moves.end();
    return reached;
  }

  #reject({ tag, share }: Out): boolean {
    const reached = this.#tags.reject(tag);
    this.#settled(share);
    return reached;
  }

  #settled(share: ConsumerShare): void {
    share.out -= 1;
    this.#onSettled(share);
  }
}
