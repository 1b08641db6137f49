import type { AmqpChannel } from "./amqp.js";

const LOST = Promise.resolve(false);

/**
 * The delivery tags of one channel that are out, and the acks that come together: told to the broker together, by
 * one frame as far as no older tag is still out.
 */
export class SettledTags {
  readonly #channel: AmqpChannel;
  /** Ascending, because tags are and additions are in order. */
  readonly #out = new Set<number>();
  readonly #acked: number[] = [];
  readonly #flushSoon = (): void => this.flush();
  #flushed: { readonly promise: Promise<boolean>; readonly resolve: (reached: boolean) => void } | undefined;
  #lost = false;

  constructor(channel: AmqpChannel) {
    this.#channel = channel;
  }

  get out(): number {
    return this.#out.size;
  }

  add(tag: number): void {
    this.#out.add(tag);
  }

  /** Resolves true once the acks that came with it were handed to the link, false if it was lost first. */
  ack(tag: number): Promise<boolean> {
    if (this.#lost) return LOST;
    this.#out.delete(tag);
    this.#acked.push(tag);
    if (this.#flushed === undefined) {
      let resolve: (reached: boolean) => void = () => {};
      const promise = new Promise<boolean>((settle) => {
        resolve = settle;
      });
      this.#flushed = { promise, resolve };
      // Behind all handlers that end now, and in time for what this turn writes.
      queueMicrotask(() => process.nextTick(this.#flushSoon));
    }
    return this.#flushed.promise;
  }

  /** Back to the queue. False when the link was lost first. */
  release(tag: number): boolean {
    return this.#nack(tag, { requeue: true });
  }

  /** To where the broker puts what is refused: the dead letters. False when the link was lost first. */
  reject(tag: number): boolean {
    return this.#nack(tag, { requeue: false });
  }

  #nack(tag: number, { requeue }: { readonly requeue: boolean }): boolean {
    if (this.#lost || !this.#out.delete(tag)) return false;
    try {
      this.#channel.nack({ fields: { deliveryTag: tag } }, false, requeue);
      return true;
    } catch {
      return false;
    }
  }

  flush(): void {
    const flushed = this.#flushed;
    if (flushed === undefined) return;
    this.#flushed = undefined;
    flushed.resolve(this.#write());
  }

  /** Nothing reaches the broker any more. */
  lose(): void {
    this.#lost = true;
    this.#out.clear();
    this.flush();
  }

  #write(): boolean {
    const acked = this.#acked;
    if (this.#lost) {
      acked.length = 0;
      return false;
    }
    let oldestOut = Number.POSITIVE_INFINITY;
    for (const tag of this.#out) {
      oldestOut = tag;
      break;
    }
    let upTo = 0;
    try {
      for (const tag of acked) {
        if (tag > oldestOut) this.#channel.ack({ fields: { deliveryTag: tag } }, false);
        else if (tag > upTo) upTo = tag;
      }
      if (upTo > 0) this.#channel.ack({ fields: { deliveryTag: upTo } }, true);
      return true;
    } catch {
      return false;
    } finally {
      acked.length = 0;
    }
  }
}
