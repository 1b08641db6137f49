import { MessagingError } from "../../../src/errors/messaging-error.js";
import type { CloseOptions } from "../../../src/ports/lifecycle.js";
import { onAbort } from "../../../src/util/abort.js";
import { deferred } from "../../../src/util/deferred.js";
import type { AckOutcome } from "./ack-outcome.js";
import { BestSource } from "./best-source.js";
import { toCallFailure } from "./call-failure.js";
import type { EventsClient, PostManyOptions, SubscribeEventsOptions } from "./client.js";
import { ClientSubscription, type EventsSubscription } from "./client-subscription.js";
import type { EventHandler, PostEventOptions } from "./event.js";
import { EventHandling, type EventOrigin, MAX_CONCURRENCY } from "./event-handling.js";
import type { IncomingEvent } from "./event-source.js";
import type { EventsClientState } from "./notice.js";
import type { ResolvedEventsClientOptions } from "./options.js";
import { toOutgoingPost } from "./outgoing-post.js";
import { type EventToPost, ManyPosts, type PostManyResult, toOutgoingPosts } from "./post-many.js";
import { postOnce } from "./post-once.js";
import { retrying } from "./retrying.js";
import { ServerLinks } from "./server-links.js";
import { type UnaryCallOptions, unaryCall } from "./unary-call.js";

const MAX_POSTS = 10_000;
/** The longest wait for a server's answer to a goodbye. */
const GOODBYE_MS = 1_000;

/** Posts, and holds one subscription at a time. */
export class GrpcEventsClient implements EventsClient {
  readonly clientId: string;
  readonly closed: Promise<Error | undefined>;
  readonly #options: ResolvedEventsClientOptions;
  readonly #links: ServerLinks;
  readonly #closed = deferred<Error | undefined>();
  readonly #over = new AbortController();
  #subscription: ClientSubscription | undefined;
  #closing: Promise<void> | undefined;
  #posts = 0;

  constructor(options: ResolvedEventsClientOptions) {
    this.#options = options;
    this.clientId = options.clientId;
    this.closed = this.#closed.promise;
    this.#links = new ServerLinks(options);
  }

  get state(): EventsClientState {
    return this.#subscription?.state ?? "closed";
  }

  async post(body: unknown, options: PostEventOptions = {}): Promise<void> {
    this.#throwIfFull();
    const post = toOutgoingPost(body, options, this.#poster);
    await this.#posting(options, (limits) => postOnce(this.#links, post, limits));
  }

  async postMany(events: readonly EventToPost[], options: PostManyOptions = {}): Promise<readonly PostManyResult[]> {
    this.#throwIfFull();
    const posts = new ManyPosts(toOutgoingPosts(events, this.#poster));
    try {
      if (events.length > 0) await this.#posting(options, (limits) => posts.try(this.#links, limits));
    } catch (error) {
      posts.fail(toCallFailure(error, "post"));
    }
    return posts.results;
  }

  async subscribe(handler: EventHandler, options: SubscribeEventsOptions = {}): Promise<EventsSubscription> {
    const { concurrency = 1, signal, onClosed } = options;
    if (!(Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= MAX_CONCURRENCY)) {
      const fault = `concurrency must be a whole number from 1 to ${MAX_CONCURRENCY}`;
      throw new MessagingError("INVALID_ARGUMENT", `subscribe: ${fault}`);
    }
    if (this.#closing !== undefined) throw closedError("subscribe");
    if (signal?.aborted) throw abortedError("subscribe", signal);
    if (this.#subscription !== undefined) {
      throw new MessagingError("ALREADY_EXISTS", "subscribe: this client has a subscription; close it first");
    }
    const own = this.#start(handler, concurrency, onClosed);
    let wasAborted = false;
    const forget = onAbort(signal, () => {
      wasAborted = true;
      void own.close();
    });
    void own.closed.then(forget);
    try {
      await own.live;
    } catch (error) {
      throw wasAborted && signal !== undefined ? abortedError("subscribe", signal) : error;
    }
    return own;
  }

  close(options: CloseOptions = {}): Promise<void> {
    // Also by a later call, which may hurry it.
    const left = this.#subscription?.close(options);
    this.#closing ??= this.#close(left);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #poster(): { readonly clientId: string; readonly uuid: () => string } {
    const { clientId, random } = this.#options;
    return { clientId, uuid: () => random.uuid() };
  }

  #throwIfFull(): void {
    if (this.#over.signal.aborted) throw closedError("post");
    if (this.#posts < MAX_POSTS) return;
    throw new MessagingError("REJECTED", `post: ${MAX_POSTS} posts are under way already; await some of them`);
  }

  async #posting(
    { timeoutMs = this.#options.postTimeoutMs, signal }: PostManyOptions,
    attempt: (limits: Omit<UnaryCallOptions, "what">) => Promise<void>,
  ): Promise<void> {
    if (!(Number.isFinite(timeoutMs) && timeoutMs > 0)) {
      throw new MessagingError("INVALID_ARGUMENT", "post: timeoutMs must be a number of milliseconds above 0");
    }
    this.#posts += 1;
    try {
      const { clock } = this.#options;
      await this.#retry("post", timeoutMs, signal, (leftMs, given) => {
        return attempt({ clock, timeoutMs: leftMs, signal: given });
      });
    } finally {
      this.#posts -= 1;
    }
  }

  #start(handler: EventHandler, concurrency: number, onClosed: SubscribeEventsOptions["onClosed"]): ClientSubscription {
    const { clock, notify } = this.#options;
    const handling = new EventHandling({
      handler,
      concurrency,
      notify,
      ack: (event, success, origin, signal) => this.#ack(event, success, origin, signal),
    });
    const own = new ClientSubscription({
      client: this.#options,
      links: this.#links,
      handling,
      concurrency,
      openSource: (source) => new BestSource(source),
      sayGoodbye: async (link) => {
        const limits = { clock, what: "close", timeoutMs: GOODBYE_MS, signal: this.#over.signal };
        const call = unaryCall(link, limits, (metadata, done) => {
          return link.queueApi.Close({ clientId: this.clientId }, metadata, done);
        });
        // It notices by the end of the stream too.
        await call.catch(() => undefined);
      },
      onClosed: (cause) => {
        this.#subscription = undefined;
        try {
          onClosed?.(cause);
        } catch {
          // Whoever is told must not harm the work.
        }
      },
    });
    this.#subscription = own;
    return own;
  }

  /** Through the stream, or else by a call: first at the server that delivered, since others would have to ask it. */
  async #ack(
    { ackToken }: IncomingEvent,
    success: boolean,
    { source, link: delivering }: EventOrigin,
    signal: AbortSignal,
  ): Promise<AckOutcome> {
    const { clock, ackTimeoutMs } = this.#options;
    // The rest of the time is for the call.
    const streamMs = Math.ceil(ackTimeoutMs / 3);
    const cancelWait = clock.setTimer(streamMs, () => source.forget(ackToken));
    const outcome = await source.ack(ackToken, success);
    cancelWait();
    if (outcome !== undefined) return outcome;
    let link = delivering;
    await this.#retry("ack", ackTimeoutMs - streamMs, signal, async (timeoutMs, given) => {
      const limits = { clock, what: "ack", timeoutMs, signal: given };
      try {
        await unaryCall(link, limits, (metadata, done) => {
          return link.queueApi.Ack({ userToken: ackToken, success }, metadata, done);
        });
      } catch (error) {
        this.#links.failed(link);
        link = this.#links.current();
        throw error;
      }
    });
    return "ok";
  }

  /** Until the caller or the client gives it up. */
  async #retry(
    what: "post" | "ack",
    timeoutMs: number,
    signal: AbortSignal | undefined,
    attempt: (leftMs: number, given: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const { clock, random, backoff, notify } = this.#options;
    const given = new AbortController();
    const forgetCaller = onAbort(signal, () => given.abort(abortedError(what, signal)));
    const forgetClient = onAbort(this.#over.signal, () => given.abort(closedError(what)));
    const onRetry = (error: MessagingError, waitMs: number): void => notify({ type: "retry", what, error, waitMs });
    try {
      await retrying((leftMs) => attempt(leftMs, given.signal), {
        clock,
        random,
        backoff,
        what,
        timeoutMs,
        signal: given.signal,
        onRetry,
      });
    } finally {
      forgetCaller();
      forgetClient();
    }
  }

  async #close(left: Promise<void> | undefined): Promise<void> {
    await left;
    this.#over.abort(closedError("the client"));
    this.#links.close();
    this.#closed.resolve(undefined);
  }
}

function closedError(what: string): MessagingError {
  return new MessagingError("CLOSED", `${what}: the events client was closed`);
}

function abortedError(what: string, signal: AbortSignal | undefined): MessagingError {
  return new MessagingError("ABORTED", `${what}: aborted by its signal`, { cause: signal?.reason });
}
