import type { DriverConsumer } from "../../src/driver/driver.js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import { type AmqpChannel, type AmqpMessage, type AmqpTable, MAX_PREFETCH } from "./amqp.js";
import { type ArrivalParts, toDelivery } from "./arrivals.js";
import type { BrokerQueue } from "./broker-queue.js";
import type { WatchedConsumer } from "./consumer-watch.js";
import type { RabbitmqDelivery } from "./delivery.js";
import type { DelayLadder } from "./ladder.js";
import { type ConsumerShare, nextPrefetchStep } from "./prefetch-share.js";
import type { QueuePublisher } from "./queue-publisher.js";
import { Settling } from "./settling.js";

export interface ConsumerParts {
  /** Of this consumer alone. */
  readonly channel: AmqpChannel;
  readonly queue: BrokerQueue;
  readonly publisher: QueuePublisher;
  readonly ladder: DelayLadder;
  /** Whether the broker counts deliveries. */
  readonly counted: boolean;
  /** The queue is a classic one. */
  readonly isClassic: boolean;
  readonly onDelivery: (delivery: RabbitmqDelivery) => void;
  /** At most once, not after `stop`. */
  readonly onLost: (error: unknown) => void;
  /** The broker has ended it: as far as anybody can tell its queue was deleted. */
  readonly onDeleted: () => void;
  /** The channel is closed, whoever closed it. */
  readonly onClosed: (consumer: RabbitmqConsumer) => void;
}

/** Cancelled when its queue is deleted, instead of taken over by one that is declared anew. Quorum queues refuse to be asked. */
const CLASSIC_ARGUMENTS: AmqpTable = { "x-cancel-on-ha-failover": true };

/** The consumer of one queue. */
export class RabbitmqConsumer implements DriverConsumer, WatchedConsumer {
  readonly #parts: ConsumerParts;
  readonly #settling: Settling;
  readonly #arrival: ArrivalParts;
  #shares: ConsumerShare[] = [];
  /** What is out of cancelled shares. */
  #leftOver = 0;
  #arrivals = 0;
  #prefetch = 0;
  #adjusted: Promise<void> = Promise.resolve();
  #state: "starting" | "running" | "stopping" | "ended" = "starting";
  /** The broker has confirmed that nothing more comes: before, what is on its way would go back as redelivered. */
  #isCancelled = false;
  #stopped: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #cause: unknown;

  constructor(parts: ConsumerParts) {
    this.#parts = parts;
    this.#settling = new Settling(parts.channel, parts.queue, parts.publisher, (share) => this.#onSettled(share));
    this.#arrival = { queue: parts.queue, ladder: parts.ladder, settling: this.#settling, counted: parts.counted };
    parts.channel.on("error", (error) => {
      this.#cause = error;
    });
    parts.channel.on("close", () => {
      this.#end(this.#cause ?? new MessagingError("UNAVAILABLE", "the consumer's channel was lost"));
      parts.onClosed(this);
    });
  }

  /** Resolves once deliveries can arrive. Rejects, with the channel closed, if they never will. */
  async start(prefetch: number): Promise<void> {
    try {
      await this.setPrefetch(prefetch);
      if (this.#state !== "starting") throw this.#cause;
      this.#state = "running";
    } catch (error) {
      this.#end(error);
      throw error;
    }
  }

  get queue(): string {
    return this.#parts.queue.name;
  }

  get arrivals(): number {
    return this.#arrivals;
  }

  get hasRoom(): boolean {
    return this.#state === "running" && this.#shares.some(({ out, prefetch }) => out < prefetch);
  }

  lose(error: MessagingError): void {
    if (this.#state === "running") this.#end(error);
  }

  setPrefetch(prefetch: number): Promise<void> {
    this.#prefetch = Math.min(prefetch, MAX_PREFETCH);
    return this.#adjustSoon();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Flushes what was settled; what was not goes back to the queue. May stay open for good when the link dies. */
  async close(): Promise<void> {
    await this.stop();
    await this.#closeChannel();
  }

  async #stop(): Promise<void> {
    if (this.#state === "ended") return;
    this.#state = "stopping";
    await this.#adjusted;
    await Promise.allSettled(this.#shares.map((share) => this.#cancel(share)));
    this.#isCancelled = true;
    this.#closeWhenSettled();
  }

  /** One after another, each towards the newest number. */
  #adjustSoon(): Promise<void> {
    const adjusting = this.#adjusted.then(() => this.#adjust());
    this.#adjusted = adjusting.catch(() => {});
    return adjusting;
  }

  async #adjust(): Promise<void> {
    while (this.#state === "starting" || this.#state === "running") {
      const step = nextPrefetchStep(this.#prefetch, this.#shares, this.#leftOver);
      if (step === undefined) return;
      if (step.kind === "add") await this.#add(step.prefetch);
      else await Promise.all(step.shares.map((share) => this.#cancel(share)));
    }
  }

  async #add(prefetch: number): Promise<void> {
    const { channel, queue, isClassic } = this.#parts;
    const share: ConsumerShare = { prefetch, out: 0, cancelled: false, consumerTag: undefined };
    await channel.prefetch(prefetch);
    const { consumerTag } = await channel.consume(queue.name, (message) => this.#receive(share, message), {
      noAck: false,
      ...(isClassic ? { arguments: CLASSIC_ARGUMENTS } : {}),
    });
    share.consumerTag = consumerTag;
    this.#shares.push(share);
  }

  async #cancel(share: ConsumerShare): Promise<void> {
    this.#shares = this.#shares.filter((other) => other !== share);
    share.cancelled = true;
    this.#leftOver += share.out;
    if (share.consumerTag !== undefined) await this.#parts.channel.cancel(share.consumerTag);
  }

  /** Never throws: amqplib would end the whole connection. */
  #receive(share: ConsumerShare, received: AmqpMessage | null): void {
    if (this.#state === "ended") return;
    try {
      if (received === null) {
        const { name } = this.#parts.queue;
        this.#parts.onDeleted();
        throw new MessagingError("UNAVAILABLE", `the broker ended the consumer: was the queue "${name}" deleted?`);
      }
      this.#arrivals += 1;
      if (share.cancelled) this.#leftOver += 1;
      // What comes before the broker has heard of a stop is handed on too: only core knows how it goes back. (A request
      // that was released would come again as one that may have run.)
      const delivery = toDelivery(received, share, this.#arrival);
      if (delivery !== undefined) this.#parts.onDelivery(delivery);
    } catch (error) {
      this.#end(error);
    }
  }

  #onSettled(share: ConsumerShare): void {
    if (share.cancelled) {
      this.#leftOver -= 1;
      if (this.#state === "running") this.#adjustSoon().catch(() => {});
    }
    if (this.#state === "stopping") this.#closeWhenSettled();
  }

  #closeWhenSettled(): void {
    if (this.#settling.out === 0 && this.#isCancelled) void this.#closeChannel();
  }

  /** Behind the settlements, in the channel's own order. */
  #closeChannel(): Promise<void> {
    this.#closing ??= this.#settling
      .flush()
      .then(() => this.#parts.channel.close())
      .catch(() => {});
    return this.#closing;
  }

  #end(error: unknown): void {
    const before = this.#state;
    if (before === "ended") return;
    this.#state = "ended";
    this.#cause = error;
    this.#settling.end();
    void this.#closeChannel();
    if (before === "running") this.#parts.onLost(error);
  }
}
