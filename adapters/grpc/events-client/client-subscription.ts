import { MessagingError } from "../../../src/errors/messaging-error.js";
import type { Cancel } from "../../../src/ports/clock.js";
import type { Closeable, CloseOptions } from "../../../src/ports/lifecycle.js";
import { onAbort } from "../../../src/util/abort.js";
import { backoffMs } from "../../../src/util/backoff.js";
import { deferred } from "../../../src/util/deferred.js";
import { errorText } from "../../../src/util/error-text.js";
import { within } from "../within.js";
import { isPermanent } from "./call-failure.js";
import type { EventHandling } from "./event-handling.js";
import type { EventSource, EventSourceOptions } from "./event-source.js";
import type { EventsClientState } from "./notice.js";
import type { ResolvedEventsClientOptions } from "./options.js";
import type { ServerLink } from "./server-link.js";
import type { ServerLinks } from "./server-links.js";

/** `closed` resolves with undefined after a `close()`, otherwise with why it was given up. */
export interface EventsSubscription extends Closeable {
  readonly state: EventsClientState;
}

export interface ClientSubscriptionOptions {
  readonly client: ResolvedEventsClientOptions;
  readonly links: ServerLinks;
  readonly handling: EventHandling;
  readonly concurrency: number;
  openSource(options: EventSourceOptions): EventSource;
  /** Tells the server that the client goes. Never rejects, and in bounded time. */
  sayGoodbye(link: ServerLink): Promise<void>;
  /** Called exactly once, after the state became `closed` for good. */
  onClosed(cause: MessagingError | undefined): void;
}

interface OpenStream {
  readonly link: ServerLink;
  readonly source: EventSource;
  isLive: boolean;
}

/** A server that sends no headers before its first event is taken for live after so long on an open connection. */
const SILENT_MS = 2_000;
/**
 * How long handlers may run on once an event came that nobody begins any more: shorter than any server's time-out, since
 * that would cost the event an attempt.
 */
const LEFT_MS = 300;
/** The longest wait for a server to take the subscription. */
const OPEN_MS = 20_000;

/** One subscription through all its streams. */
export class ClientSubscription implements EventsSubscription {
  readonly closed: Promise<Error | undefined>;
  /** Resolves with the first stream; rejects if it ends before. */
  readonly live: Promise<void>;
  readonly #options: ClientSubscriptionOptions;
  readonly #closed = deferred<MessagingError | undefined>();
  readonly #live = deferred<void>();
  #state: EventsClientState = "closed";
  #stream: OpenStream | undefined;
  #failures = 0;
  #lastFailure: MessagingError | undefined;
  readonly #hurry = new AbortController();
  #isClosing = false;
  #closing: Promise<void> | undefined;
  #cancelRetry: Cancel = () => {};
  #cancelLife: Cancel = () => {};
  #cancelGiveUp: Cancel | undefined;
  /** Why it is given up, should the stream that is open not live either. */
  #verdict: MessagingError | undefined;

  constructor(options: ClientSubscriptionOptions) {
    this.#options = options;
    this.closed = this.#closed.promise;
    this.live = this.#live.promise;
    // Whoever closes it before need not listen.
    this.live.catch(() => undefined);
    const { connectTimeoutMs } = options.client;
    this.#giveUpAfter(connectTimeoutMs, `no server took the subscription within ${connectTimeoutMs} ms`);
    this.#open();
  }

  get state(): EventsClientState {
    return this.#state;
  }

  /** Of several calls, the earliest deadline counts. */
  close({ drainMs = 30_000, signal }: CloseOptions = {}): Promise<void> {
    const hurry = (): void => this.#hurry.abort();
    if (drainMs <= 0 || signal?.aborted) hurry();
    const over = this.#hurry.signal;
    if (!over.aborted) {
      onAbort(over, this.#options.client.clock.setTimer(drainMs, hurry));
      onAbort(over, onAbort(signal, hurry));
    }
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(): void {
    const { links, handling, client, concurrency, openSource } = this.#options;
    const link = links.current();
    const source = openSource({
      link,
      concurrency,
      clientId: client.clientId,
      onLive: () => this.#onLive(stream),
      onEvent: (event) => handling.take(event, stream),
      onEnd: (error) => this.#onEnd(stream, error),
    });
    const stream: OpenStream = { link, source, isLive: false };
    this.#stream = stream;
    this.#awaitLive(stream, OPEN_MS);
  }

  #awaitLive(stream: OpenStream, leftMs: number): void {
    this.#cancelLife = this.#options.client.clock.setTimer(SILENT_MS, () => {
      if (stream.link.isConnected) this.#onLive(stream);
      else if (leftMs > SILENT_MS) this.#awaitLive(stream, leftMs - SILENT_MS);
      else {
        stream.source.cancel();
        this.#onEnd(stream, new MessagingError("TIMEOUT", `subscribe: ${stream.link.address} did not answer in time`));
      }
    });
  }

  #onLive(stream: OpenStream): void {
    if (this.#stream !== stream || stream.isLive) return;
    stream.isLive = true;
    this.#cancelLife();
    const { clock, livesAfterMs } = this.#options.client;
    this.#cancelLife = clock.setTimer(livesAfterMs, () => this.#hasLived());
    if (this.#isClosing) return;
    if (!this.#live.settled) {
      this.#live.resolve();
      // From here on another bound holds.
      this.#hasLived();
    }
    this.#setState("connected");
  }

  #hasLived(): void {
    this.#failures = 0;
    this.#verdict = undefined;
    this.#cancelGiveUp?.();
    this.#cancelGiveUp = undefined;
  }

  #onEnd(stream: OpenStream, error: MessagingError | undefined): void {
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    this.#cancelLife();
    const { links, handling, client } = this.#options;
    handling.lose(stream.source);
    links.failed(stream.link);
    if (this.#isClosing) return;
    const ended = `subscribe: ${stream.link.address} ended the stream: it stops, or this client id subscribed elsewhere`;
    const failure = error ?? new MessagingError("UNAVAILABLE", ended);
    this.#lastFailure = failure;
    // A token that was taken away under the stream may have a successor already.
    const isRenewable = stream.isLive && failure.code === "UNAUTHENTICATED";
    if ((isPermanent(failure) && !isRenewable) || this.#verdict !== undefined) {
      this.#finish(this.#verdict ?? failure);
      return;
    }
    if (this.#live.settled) {
      this.#setState("disconnected", failure);
      const { resubscribeMs } = client;
      this.#giveUpAfter(resubscribeMs, `no stream lived within ${resubscribeMs} ms after the last one was lost`);
    }
    this.#failures += 1;
    const waitMs = backoffMs(this.#failures, client.random.fraction(), client.backoff);
    client.notify({ type: "retry", what: "subscribe", error: failure, waitMs });
    // Whoever was told may have closed it.
    if (!this.#isClosing) this.#cancelRetry = client.clock.setTimer(waitMs, () => this.#open());
  }

  /** Unless the time runs already. */
  #giveUpAfter(ms: number, why: string): void {
    this.#cancelGiveUp ??= this.#options.client.clock.setTimer(ms, () => {
      const last = this.#lastFailure;
      const cause = last === undefined ? "" : `; the last failure: ${errorText(last)}`;
      this.#verdict = new MessagingError("UNAVAILABLE", `subscribe: ${why}${cause}`, { cause: last });
      // One that is live has its chance to last.
      if (this.#stream?.isLive !== true) this.#finish(this.#verdict);
    });
  }

  async #close(): Promise<void> {
    if (!this.#closed.settled) {
      this.#isClosing = true;
      this.#cancelRetry();
      this.#cancelGiveUp?.();
      const { handling, client } = this.#options;
      const over = this.#hurry.signal;
      const hurried = new Promise<void>((resolve) => void onAbort(over, resolve));
      this.#stream?.source.askNoMore();
      const stopped = handling.stopped();
      const mustLeave = handling.left.then(() => within(client.clock, LEFT_MS, stopped, over));
      await Promise.race([stopped, mustLeave, hurried]);
      await this.#leave();
      await Promise.race([stopped, hurried]);
      this.#finish(undefined);
    }
    await this.closed;
  }

  /** The server takes back what it has sent. Handlers go on, and acknowledge by calls. */
  async #leave(): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined) return;
    const { handling, sayGoodbye } = this.#options;
    if (stream.isLive) await sayGoodbye(stream.link);
    // Unless the server has ended it.
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    this.#cancelLife();
    stream.source.cancel();
    handling.lose(stream.source);
  }

  #finish(cause: MessagingError | undefined): void {
    if (this.#closed.settled) return;
    this.#isClosing = true;
    this.#hurry.abort();
    this.#cancelRetry();
    this.#cancelLife();
    this.#cancelGiveUp?.();
    const { handling, onClosed } = this.#options;
    this.#stream?.source.cancel();
    this.#stream = undefined;
    const reason = cause ?? new MessagingError("CLOSED", "the subscription was closed");
    handling.giveUp(reason);
    this.#live.reject(reason);
    this.#closed.resolve(cause);
    this.#setState("closed", cause);
    onClosed(cause);
  }

  #setState(state: EventsClientState, cause?: MessagingError): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.client.notify({ type: "state", state, cause });
  }
}
