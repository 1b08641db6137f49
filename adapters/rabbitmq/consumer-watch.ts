import { MessagingError } from "../../src/errors/messaging-error.js";
import { REPLY } from "./amqp.js";

export interface WatchedConsumer {
  readonly queue: string;
  /** How many messages have come. */
  readonly arrivals: number;
  /** True: it is given what is ready. */
  readonly hasRoom: boolean;
  /** Ends it, so that core makes another. Does nothing to one that is stopped or stopping. */
  lose(error: MessagingError): void;
}

export interface WatchTimes {
  /** From one look at all queues to the next, on average. In milliseconds. */
  readonly lookMs: number;
  /** What the broker has to end the consumers of a deleted queue by itself. In milliseconds. */
  readonly graceMs: number;
}

const TIMES: WatchTimes = { lookMs: 30_000, graceMs: 1_000 };
/** In how many looks in a row messages must have been ready, while none came. */
const LEAST_LOOKS = 2;
/** Each end that has helped nobody doubles them, up to this: another's rule may be what keeps the messages from it. */
const MOST_LOOKS = 64;

interface Watching {
  arrivals: number;
  /** Looks since then at which messages were ready. */
  looks: number;
}

/**
 * Finds consumers that get nothing and are told nothing. RabbitMQ takes a consumer over when its queue is deleted and declared
 * anew in the same moment, forgets what the new queue then hands it, and never cancels it (seen on 3.10.8 for quorum queues, one
 * deletion in four under publishes; gone from 4.x). Two signs end one: this connection learns that the queue was deleted, and the
 * consumer is still there a moment later; or messages are ready in its queue, and none comes.
 */
export class ConsumerWatch {
  readonly #readyIn: (queue: string) => Promise<number>;
  readonly #times: WatchTimes;
  readonly #consumers = new Map<WatchedConsumer, Watching>();
  /** By queue, where it is more than the least. */
  readonly #looksNeeded = new Map<string, number>();
  /** By queue. */
  readonly #deadlines = new Map<string, NodeJS.Timeout>();
  #nextRound: NodeJS.Timeout | undefined;
  #isLooking = false;
  #stopped = false;

  /** `readyIn` rejects with the broker's error. */
  constructor(readyIn: (queue: string) => Promise<number>, times: WatchTimes = TIMES) {
    this.#readyIn = readyIn;
    this.#times = times;
  }

  add(consumer: WatchedConsumer): void {
    this.#consumers.set(consumer, { arrivals: consumer.arrivals, looks: 0 });
    this.#lookLater();
  }

  delete(consumer: WatchedConsumer): void {
    this.#consumers.delete(consumer);
  }

  /** Its consumers of now consumed from a queue that is gone, whatever has its name since. Told again, it is no other deletion. */
  deleted(queue: string): void {
    if (this.#deadlines.has(queue)) return;
    const consumers = [...this.#consumers.keys()].filter((consumer) => consumer.queue === queue);
    if (consumers.length === 0 || this.#stopped) return;
    const deadline = setTimeout(() => {
      this.#deadlines.delete(queue);
      for (const consumer of consumers) {
        if (this.#consumers.has(consumer)) consumer.lose(told(`queue "${queue}" was deleted`));
      }
    }, this.#times.graceMs);
    this.#deadlines.set(queue, deadline);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#nextRound);
    for (const deadline of this.#deadlines.values()) clearTimeout(deadline);
  }

  /** Not all processes at the same time. */
  #lookLater(): void {
    if (this.#stopped || this.#isLooking || this.#nextRound !== undefined || this.#consumers.size === 0) return;
    const jitter = 0.75 + Math.random() / 2;
    this.#nextRound = setTimeout(() => void this.#round(), this.#times.lookMs * jitter);
    this.#nextRound.unref();
  }

  async #round(): Promise<void> {
    this.#nextRound = undefined;
    this.#isLooking = true;
    const silent = this.#silent();
    for (const queue of this.#looksNeeded.keys()) if (!silent.has(queue)) this.#looksNeeded.delete(queue);
    // One by one, so that who declares something meanwhile waits for one answer at most.
    for (const [queue, consumers] of silent) {
      if (this.#stopped) return;
      await this.#look(queue, consumers);
    }
    this.#isLooking = false;
    this.#lookLater();
  }

  /** By queue: those that nothing came to since the last round. */
  #silent(): ReadonlyMap<string, readonly WatchedConsumer[]> {
    const silent = new Map<string, WatchedConsumer[]>();
    for (const [consumer, watching] of this.#consumers) {
      if (consumer.hasRoom && consumer.arrivals === watching.arrivals) {
        const others = silent.get(consumer.queue);
        if (others === undefined) silent.set(consumer.queue, [consumer]);
        else others.push(consumer);
      } else {
        watching.arrivals = consumer.arrivals;
        watching.looks = 0;
      }
    }
    return silent;
  }

  async #look(queue: string, consumers: readonly WatchedConsumer[]): Promise<void> {
    try {
      const ready = await this.#readyIn(queue);
      const needed = this.#looksNeeded.get(queue) ?? LEAST_LOOKS;
      const forgotten = consumers.filter((consumer) => this.#looks(consumer, ready) >= needed);
      if (forgotten.length > 0) this.#looksNeeded.set(queue, Math.min(needed * 2, MOST_LOOKS));
      for (const consumer of forgotten)
        consumer.lose(told(`${ready} messages are ready in queue "${queue}", and none comes`));
    } catch (error) {
      // Whatever else went wrong says nothing of the queue.
      if (!isMissing(error)) return;
      for (const consumer of consumers) {
        if (this.#consumers.has(consumer)) consumer.lose(told(`queue "${queue}" is gone`));
      }
    }
  }

  /** So many in a row, with this one. */
  #looks(consumer: WatchedConsumer, ready: number): number {
    const watching = this.#consumers.get(consumer);
    if (watching === undefined) return 0;
    const isServed = ready === 0 || !consumer.hasRoom || consumer.arrivals !== watching.arrivals;
    watching.looks = isServed ? 0 : watching.looks + 1;
    return watching.looks;
  }
}

function told(why: string): MessagingError {
  return new MessagingError("UNAVAILABLE", `the broker has forgotten the consumer, and did not say so: ${why}`);
}

function isMissing(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === REPLY.notFound;
}
