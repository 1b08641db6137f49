import { MessagingError } from "../errors/messaging-error.js";
import type { Clock, Random } from "../ports/clock.js";
import type { CloseOptions } from "../ports/lifecycle.js";
import type { Observer } from "../ports/observer.js";
import type { Consumer, DeliveryHandler, Queue } from "../ports/queue.js";
import { backoffMs } from "../util/backoff.js";
import { Ending } from "../util/ending.js";
import { toError } from "../util/error-text.js";
import { pauseUntil } from "./pause-until.js";

export interface IntakeOptions {
  readonly queue: Queue;
  readonly clock: Clock;
  readonly random: Random;
  readonly observe: Observer;
  handle: DeliveryHandler<Uint8Array>;
}

const REOPEN = { firstMs: 1_000, maxMs: 30_000 };

/**
 * The consumer behind the subscribers: made when the first one comes, paused while there is none, and made anew as long
 * as somebody waits for events, whatever the broker says.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #closing = new Ending<undefined>();
  readonly #setUp = new AbortController();
  #concurrency = 0;
  #consumer: Consumer | undefined;
  #running: Promise<void> | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  get isLive(): boolean {
    return this.#consumer?.state === "running" || this.#consumer?.state === "paused";
  }

  /** How many events may be here at once. 0 takes none. */
  setConcurrency(concurrency: number): void {
    if (this.#closing.hasEnded || concurrency === this.#concurrency) return;
    this.#concurrency = concurrency;
    this.#consumer?.setConcurrency(concurrency);
    this.#runIfNeeded();
  }

  /** Takes no more, and resolves when what is here has been settled. Never rejects. */
  async close(options: CloseOptions): Promise<void> {
    this.#closing.end(undefined);
    if (this.#consumer === undefined) this.#setUp.abort(new MessagingError("CLOSED", "the event service is closing"));
    await this.#consumer?.close(options);
    await this.#running;
  }

  #runIfNeeded(): void {
    if (this.#running !== undefined || this.#concurrency === 0 || this.#closing.hasEnded) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      // Somebody may have come just when it stopped for want of anybody.
      this.#runIfNeeded();
    });
  }

  async #run(): Promise<void> {
    const { clock, random, observe } = this.#options;
    for (let failures = 1; this.#concurrency > 0 && !this.#closing.hasEnded; failures += 1) {
      const { lived, error } = await this.#consume();
      // Without an error it was closed from below: there is nothing left to consume from.
      if (error === undefined || MessagingError.is(error, "CLOSED")) this.#closing.end(undefined);
      if (error === undefined || this.#closing.hasEnded) return;
      if (lived) failures = 1;
      const retryInMs = backoffMs(failures, random.fraction(), REOPEN);
      observe({ type: "event-intake-failed", error, retryInMs });
      await pauseUntil(clock, retryInMs, this.#closing);
    }
  }

  /** One consumer, from its making to its end. Core makes it anew after every loss, as long as that can help. */
  async #consume(): Promise<{ readonly lived: boolean; readonly error: Error | undefined }> {
    let lived = false;
    try {
      const consumer = await this.#options.queue.consume(this.#options.handle, {
        concurrency: this.#concurrency,
        // The retry schedule and the count of losses decide instead.
        maxAttempts: Number.POSITIVE_INFINITY,
        maxDeliveries: Number.POSITIVE_INFINITY,
        signal: this.#setUp.signal,
      });
      lived = true;
      this.#consumer = consumer;
      consumer.setConcurrency(this.#concurrency);
      return { lived, error: await consumer.closed };
    } catch (thrown) {
      return { lived, error: toError(thrown) };
    } finally {
      this.#consumer = undefined;
    }
  }
}
