import { MessagingError } from "../errors/messaging-error.js";
import type { Clock } from "../ports/clock.js";
import type { OutgoingMessage } from "../ports/message.js";
import type { PublishOptions, Queue } from "../ports/queue.js";
import { onAbort } from "../util/abort.js";
import { deferred } from "../util/deferred.js";
import type { EventTally } from "./event-counts.js";
import type { QueuedEvent } from "./event-message.js";
import type { PostOptions } from "./event-service.js";
import { checkPostId, type FirstPost, messageIdOf, PostLedger, unlessAborted } from "./post-ledger.js";
import { within } from "./within.js";

export interface EventPostsOptions {
  readonly queue: Queue;
  readonly clock: Clock;
  readonly tally: EventTally;
  readonly postTimeoutMs: number;
  readonly postIdMemoryMs: number;
  /** Whether the broker itself stores a messageId once. */
  readonly deduplication: boolean;
}

/** What may wait for the broker at once, since each waiting post holds its event. */
const MAX_POSTS = 10_000;
const MAX_POST_BYTES = 268_435_456;

/** The posts that are under way, and the post ids of late. */
export class EventPosts {
  readonly #options: EventPostsOptions;
  readonly #ledger: PostLedger;
  #posting = 0;
  #postingBytes = 0;
  #onDone: () => void = () => {};

  constructor(options: EventPostsOptions) {
    this.#options = options;
    this.#ledger = new PostLedger({ clock: options.clock, memoryMs: options.postIdMemoryMs });
  }

  /** Resolves once the broker took responsibility. */
  post({ message, delayMs }: QueuedEvent, { postId, signal }: PostOptions): Promise<void> {
    const { postTimeoutMs: timeoutMs } = this.#options;
    if (postId === undefined) return this.#publish(message, { delayMs, timeoutMs, signal });
    checkPostId(postId);
    if (signal?.aborted) throw new MessagingError("ABORTED", "post: aborted by its signal", { cause: signal.reason });
    const known = this.#ledger.find(postId);
    const outcome = known === undefined ? this.#first(postId, message, delayMs) : this.#again(known, message);
    return unlessAborted(outcome, signal);
  }

  /** Resolves when nothing is under way, or the time is over. A post is answered by the port, in bounded time. */
  async done(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#posting === 0) return;
    const done = deferred<void>();
    this.#onDone = () => done.resolve();
    const forget = onAbort(signal, () => done.resolve());
    await within(this.#options.clock, waitMs, done.promise);
    forget();
  }

  #first(postId: string, { body, headers }: OutgoingMessage<Uint8Array>, delayMs: number): Promise<void> {
    const { deduplication, postIdMemoryMs, postTimeoutMs: timeoutMs } = this.#options;
    const uniqueForMs = deduplication ? postIdMemoryMs : undefined;
    const named = { body, headers, messageId: messageIdOf(postId) };
    const post: FirstPost = { postId, outcome: undefined };
    const outcome = this.#publish(named, { delayMs, timeoutMs, uniqueForMs }, post);
    post.outcome = outcome;
    this.#ledger.begin(post);
    return outcome;
  }

  #again(first: Promise<void>, { body }: OutgoingMessage<Uint8Array>): Promise<void> {
    this.#options.tally.duplicatePosts += 1;
    this.#enter(body.byteLength);
    return first.finally(() => this.#leave(body.byteLength));
  }

  /** One promise for each post, whatever it passes through: there are tens of thousands in a second. */
  #publish(message: OutgoingMessage<Uint8Array>, options: PublishOptions, first?: FirstPost): Promise<void> {
    const { queue, tally } = this.#options;
    const bytes = message.body.byteLength;
    try {
      this.#enter(bytes);
    } catch (error) {
      tally.postsFailed += 1;
      throw error;
    }
    const fail = (error: unknown): never => {
      this.#leave(bytes);
      tally.postsFailed += 1;
      if (first !== undefined) this.#ledger.failed(first);
      throw error;
    };
    try {
      return queue.publish(message, options).then(() => {
        this.#leave(bytes);
        tally.posted += 1;
        if (first !== undefined) this.#ledger.stored(first);
      }, fail);
    } catch (error) {
      // What throws here, and does not reject, must not keep its place.
      return fail(error);
    }
  }

  #enter(bytes: number): void {
    if (this.#posting >= MAX_POSTS || this.#postingBytes + bytes > MAX_POST_BYTES) {
      throw new MessagingError("REJECTED", `post: ${this.#posting} posts wait for the broker already; try again later`);
    }
    this.#posting += 1;
    this.#postingBytes += bytes;
  }

  #leave(bytes: number): void {
    this.#posting -= 1;
    this.#postingBytes -= bytes;
    if (this.#posting === 0) this.#onDone();
  }
}
