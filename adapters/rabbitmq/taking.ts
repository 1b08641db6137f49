import type { WireDelivery } from "../../src/driver/driver.js";
import type { QueueCounts } from "../../src/ports/inspection.js";
import type { BrokerQueue } from "./broker-queue.js";
import type { DeclaringChannel } from "./declaring-channel.js";
import { withContext } from "./errors.js";
import type { DelayLadder } from "./ladder.js";
import type { Link } from "./link.js";
import type { QueuePublisher } from "./queue-publisher.js";
import { Settling } from "./settling.js";
import { TakingChannel } from "./taking-channel.js";

export interface TakingParts {
  readonly link: Link;
  /** For questions about queues that may be missing: those cost a channel. */
  readonly declaring: DeclaringChannel;
  readonly publisher: QueuePublisher;
  readonly ladder: DelayLadder;
  /** Whether the broker counts the deliveries of queues without lanes. */
  readonly counted: boolean;
}

/** The channel of one queue, and who waits for it or on it. */
interface Place {
  readonly opening: Promise<TakingChannel>;
  asking: number;
}

/**
 * What operators take, one by one. Each queue has a channel of its own: asking for a queue that is gone ends the channel,
 * and what is out of others must not go back with it.
 */
export class Taking {
  readonly #parts: TakingParts;
  readonly #places = new Map<string, Place>();

  constructor(parts: TakingParts) {
    this.#parts = parts;
  }

  /** Rejects with the broker's error when there is no such queue. */
  async take(queue: BrokerQueue): Promise<WireDelivery | undefined> {
    const place = this.#places.get(queue.name) ?? this.#add(queue);
    place.asking += 1;
    try {
      const channel = await place.opening;
      return await channel.take();
    } catch (error) {
      throw withContext(`queue "${queue.name}"`, error);
    } finally {
      place.asking -= 1;
    }
  }

  async counts({ name }: BrokerQueue): Promise<QueueCounts> {
    try {
      const { messageCount } = await this.#parts.declaring.run((channel) => channel.checkQueue(name));
      return { ready: messageCount, delayed: undefined, inProcessing: undefined, oldestReadyMs: undefined };
    } catch (error) {
      throw withContext(`queue "${name}"`, error);
    }
  }

  async close(): Promise<void> {
    const openings = [...this.#places.values()].map(({ opening }) => opening);
    const channels = await Promise.allSettled(openings);
    await Promise.all(channels.map((channel) => (channel.status === "fulfilled" ? channel.value.close() : undefined)));
  }

  #add(queue: BrokerQueue): Place {
    const forget = (): void => {
      if (this.#places.get(queue.name) === place) this.#places.delete(queue.name);
    };
    const place: Place = { opening: this.#open(queue, () => forget()), asking: 0 };
    this.#places.set(queue.name, place);
    place.opening.catch(forget);
    void this.#closeIdle(place);
    return place;
  }

  async #open(queue: BrokerQueue, onClosed: () => void): Promise<TakingChannel> {
    const { link, declaring, publisher, ladder, counted } = this.#parts;
    await declaring.run((channel) => channel.checkQueue(queue.name));
    const amqp = await link.createChannel();
    const settling = new Settling(amqp, queue, publisher, () => {});
    return new TakingChannel(amqp, { queue, ladder, settling, counted: counted && !queue.isLane }, onClosed);
  }

  /** So that one channel at most stays open for nothing. */
  async #closeIdle(except: Place): Promise<void> {
    for (const [name, place] of [...this.#places]) {
      if (place === except) continue;
      const channel = await place.opening.catch(() => undefined);
      if (channel === undefined || !channel.isEmpty || place.asking > 0) continue;
      if (this.#places.get(name) === place) this.#places.delete(name);
      await channel.close();
    }
  }
}
