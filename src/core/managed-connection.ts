import type { Driver, DriverConnection, WireMessage } from "../driver/driver.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Clock, Random } from "../ports/clock.js";
import type { ConnectionState } from "../ports/connection.js";
import type { Observer } from "../ports/observer.js";
import { type BackoffOptions, backoffMs } from "../util/backoff.js";
import { type Deferred, deferred } from "../util/deferred.js";
import { Ending } from "../util/ending.js";
import { Limit, pause } from "./limit.js";

/** One live driver connection, from its opening to its loss. */
export interface Link {
  readonly connection: DriverConnection;
  /** Ends when this connection is lost or closed. */
  readonly lost: Ending<MessagingError>;
}

export interface ManagedConnectionOptions {
  readonly driver: Driver;
  readonly clock: Clock;
  readonly random: Random;
  readonly observe: Observer;
  readonly connectTimeoutMs: number;
}

/** Soon, so that a blink of the link is over in a blink; at most every 5 s, so that a broker that is back is found. */
export const RECONNECT: BackoffOptions = { firstMs: 100, maxMs: 5_000 };
/** What lives this long is proved; what is lost sooner counts towards the back-off. */
export const PROVEN_MS = 5_000;
/**
 * One try: a broker that accepts and then says nothing must not hold up the next host. A driver that bounds an attempt itself says
 * better what it was waiting for, and must be the first.
 */
const ATTEMPT_TIMEOUT_MS = 10_000;
/** A driver bounds its own close; this is for one that does not. */
const CLOSE_TIMEOUT_MS = 5_000;

/** Opens on first use, reconnects for ever once it has been open, and tells everybody who hangs on it. */
export class ManagedConnection {
  readonly #options: ManagedConnectionOptions;
  #state: ConnectionState = "idle";
  #blocked = false;
  #link: Link | undefined;
  #loseLink: ((error: MessagingError) => void) | undefined;
  readonly #waiters = new Set<Deferred<Link>>();
  #isConnecting = false;
  #lastError: MessagingError | undefined;
  /** Links in a row that were lost soon after they opened. */
  #shortLives = 0;
  /** Whoever sends frames looks here for those that came back. True: it was one of its own. */
  readonly onReturned = new Set<(frame: WireMessage) => boolean>();
  /** Called with each link that is up. */
  readonly onLink = new Set<(link: Link) => void>();
  /** Ends when everything that still hangs on the connection is refused: the last step but one of closing. */
  readonly ended = new Ending<MessagingError>();

  constructor(options: ManagedConnectionOptions) {
    this.#options = options;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get blocked(): boolean {
    return this.#blocked;
  }

  /** Why there is no link, as far as that is known. */
  get lastError(): MessagingError | undefined {
    return this.#lastError;
  }

  /** The link that is up now, without waiting. */
  get link(): Link | undefined {
    return this.#link;
  }

  /** Resolves with a live link, opening one if need be. Rejects by the limit, or if the first opening fails for good. */
  async acquire(limit: Limit): Promise<Link> {
    limit.throwIfOver();
    if (this.#link !== undefined) return this.#link;
    if (this.#state === "closed" || this.ended.hasEnded) throw closedError();
    // One who gives up is forgotten: an outage may last longer than anybody waits.
    const waiter = deferred<Link>();
    this.#waiters.add(waiter);
    this.#startConnect();
    try {
      return await limit.race(waiter.promise);
    } finally {
      this.#waiters.delete(waiter);
    }
  }

  /** Nothing new is opened; what is up stays up for the drain. */
  beginClose(): void {
    if (this.#state === "closed" || this.#state === "closing") return;
    this.#setState("closing");
  }

  /** Refuses whatever still waits. */
  end(): void {
    this.ended.end(closedError());
  }

  /** Ends, closes the link, and resolves when it is closed. Never rejects. */
  async finishClose(): Promise<void> {
    this.end();
    const link = this.#link;
    this.#link = undefined;
    this.#tell((waiter) => waiter.reject(closedError()));
    if (link !== undefined) {
      const limit = new Limit({ clock: this.#options.clock, what: "close", timeoutMs: CLOSE_TIMEOUT_MS });
      // A close that fails or hangs leaves nothing to do: the link is not used again.
      await limit.race(link.connection.close()).catch(() => undefined);
      limit.dispose();
      this.#loseLink?.(closedError());
    }
    this.#setBlocked(false);
    this.#setState("closed");
  }

  /** One connect, whoever waits for it. */
  #startConnect(): void {
    if (this.#isConnecting) return;
    this.#isConnecting = true;
    const first = this.#state === "idle" || this.#state === "connecting";
    if (this.#state === "idle") this.#setState("connecting");
    this.#connect(first).then(
      (link) => {
        // Lost again already: the connect that this has started will tell those who wait.
        if (this.#link === link) this.#tell((waiter) => waiter.resolve(link));
      },
      (error: unknown) => {
        this.#isConnecting = false;
        if (this.#state === "connecting") this.#setState("idle", error as MessagingError);
        this.#tell((waiter) => waiter.reject(error));
      },
    );
  }

  #tell(news: (waiter: Deferred<Link>) => void): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) news(waiter);
  }

  /** Tries until there is a link. Only a first connect gives up: on what cannot heal, or after the connect timeout. */
  async #connect(first: boolean): Promise<Link> {
    const { clock, random, observe, connectTimeoutMs } = this.#options;
    const limit = new Limit({
      clock,
      what: "connect",
      timeoutMs: first ? connectTimeoutMs : undefined,
      ended: [this.ended],
      lastError: () => this.#lastError,
    });
    try {
      // A link that opens and is lost at once, again and again, must not become a busy loop.
      if (this.#shortLives > 0) await pause(clock, backoffMs(this.#shortLives, random.fraction(), RECONNECT), limit);
      for (let failures = 1; ; failures += 1) {
        try {
          return await this.#attempt(limit);
        } catch (error) {
          limit.throwIfOver();
          const failure = this.#options.driver.toMessagingError(error);
          this.#lastError = failure;
          const givesUp = first && !failure.retryable;
          const retryInMs = givesUp ? undefined : backoffMs(failures, random.fraction(), RECONNECT);
          observe({ type: "connect-failed", error: failure, retryInMs });
          if (retryInMs === undefined) throw failure;
          await pause(clock, retryInMs, limit);
        }
      }
    } finally {
      limit.dispose();
    }
  }

  async #attempt(limit: Limit): Promise<Link> {
    const { driver, clock, observe } = this.#options;
    const attempt = new AbortController();
    const lost = new Ending<MessagingError>();
    let up = false;
    let blocked = false;
    let since = 0;
    const lose = (error: unknown): void => {
      if (lost.hasEnded) return;
      const failure = driver.toMessagingError(error);
      lost.end(failure);
      if (up) this.#onLost(link, failure, clock.now() - since);
    };
    const timer = clock.setTimer(ATTEMPT_TIMEOUT_MS, () =>
      attempt.abort(new MessagingError("UNAVAILABLE", `connect: no answer within ${ATTEMPT_TIMEOUT_MS} ms`)),
    );
    const connecting = driver.connect({
      signal: attempt.signal,
      onLost: lose,
      onBlocked: (isBlocked) => {
        blocked = isBlocked;
        if (up && !lost.hasEnded) this.#setBlocked(isBlocked);
      },
      onReturned: (frame) => {
        let isKnown = false;
        for (const listener of this.onReturned) isKnown = listener(frame) || isKnown;
        if (isKnown) return;
        observe({ type: "discarded", source: "inbox", reason: "the inbox is gone", messageId: frame.messageId });
      },
      onRenewed: (error, warning) => {
        const failure = error === undefined ? {} : { error: driver.toMessagingError(error) };
        observe({
          type: "credentials",
          source: driver.name,
          ...failure,
          ...(warning === undefined ? {} : { warning }),
        });
      },
    });
    // A driver that ignores its signal is not waited for; the connection that it brings later is closed.
    const aborted = new Promise<never>((_, reject) => {
      attempt.signal.addEventListener("abort", () => reject(attempt.signal.reason as Error), { once: true });
    });
    let connection: DriverConnection;
    try {
      connection = await limit.race(Promise.race([connecting, aborted]));
    } catch (error) {
      attempt.abort(error);
      void connecting.then(
        (late) => late.close(),
        () => undefined,
      );
      throw error;
    } finally {
      timer();
    }
    const link: Link = { connection, lost };
    if (lost.hasEnded) throw lost.reason;
    // The limit may have fired after the race was won: then nobody wants the connection any more.
    if (limit.error !== undefined) {
      void connection.close();
      throw limit.error;
    }
    up = true;
    since = clock.now();
    this.#lastError = undefined;
    this.#link = link;
    this.#loseLink = lose;
    this.#isConnecting = false;
    if (this.#state !== "closing") this.#setState("open", undefined, connection.endpoint);
    this.#setBlocked(blocked);
    for (const listener of this.onLink) listener(link);
    return link;
  }

  #onLost(link: Link, error: MessagingError, livedMs: number): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#lastError = error;
    this.#shortLives = livedMs < PROVEN_MS ? this.#shortLives + 1 : 0;
    this.#setBlocked(false);
    if (this.#state === "open") this.#setState("reconnecting", error);
    // While closing, the drain still needs a link: handlers that run may have to settle and to publish.
    if (!this.ended.hasEnded) this.#startConnect();
  }

  #setBlocked(blocked: boolean): void {
    if (this.#blocked === blocked) return;
    this.#blocked = blocked;
    this.#options.observe({ type: "blocked", blocked });
  }

  #setState(state: ConnectionState, error?: Error, endpoint?: string): void {
    if (this.#state === state) return;
    this.#state = state;
    const told = endpoint === undefined ? { error } : { error, endpoint };
    this.#options.observe({ type: "connection", state, ...told });
  }
}

function closedError(): MessagingError {
  return new MessagingError("CLOSED", "the connection was closed; make a new Messaging to go on");
}
