import type { DriverConnection } from "../driver/driver.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Closeable } from "../ports/lifecycle.js";
import { deferred } from "../util/deferred.js";
import { Ending } from "../util/ending.js";
import type { CoreContext } from "./core-context.js";
import { Limit, pause } from "./limit.js";
import type { Link } from "./managed-connection.js";

/** One answer of the broker, however large: one that says nothing must not keep an operator waiting for ever. */
const ANSWER_TIMEOUT_MS = 30_000;
/** For a broker that answers; one that does not gets everything back with the end of the link. */
const GIVE_BACK_TIMEOUT_MS = 5_000;

/**
 * One operation on one link. What ends it early, its signal, the loss of the link or a close of the Messaging, rejects the
 * question that is on and each later one; whoever works on it then gives back what it holds.
 */
export class OperatorCall implements Closeable {
  readonly closed: Promise<undefined>;
  readonly context: CoreContext;
  /** For the errors: "browse orders.dead". */
  readonly what: string;
  readonly signal: AbortSignal | undefined;
  /** Ends with the link, or with the Messaging. */
  readonly over = new Ending<MessagingError>();
  readonly #closed = deferred<undefined>();
  #link: Link | undefined;

  private constructor(context: CoreContext, what: string, signal: AbortSignal | undefined) {
    this.context = context;
    this.what = what;
    this.signal = signal;
    this.closed = this.#closed.promise;
  }

  /** Rejects with a MessagingError that says what was attempted. */
  static async run<T>(
    context: CoreContext,
    { what, signal }: { readonly what: string; readonly signal?: AbortSignal | undefined },
    work: (call: OperatorCall) => Promise<T>,
  ): Promise<T> {
    const call = new OperatorCall(context, what, signal);
    let forget = (): void => {};
    context.open.add(call);
    try {
      const link = await call.#acquire();
      forget = link.lost.onEnd(() => call.over.end(link.lost.reason ?? new MessagingError("UNAVAILABLE", "link lost")));
      return await work(call);
    } catch (error) {
      throw call.#told(error);
    } finally {
      forget();
      context.open.delete(call);
      call.#closed.resolve(undefined);
    }
  }

  /** Resolves with the driver's answer, in bounded time. One that comes too late goes to `late`. */
  async ask<T>(question: (connection: DriverConnection) => Promise<T>, late?: (answer: T) => void): Promise<T> {
    const limit = this.#limit(ANSWER_TIMEOUT_MS);
    try {
      limit.throwIfOver();
      return await limit.race(question(this.#connection), late);
    } finally {
      limit.dispose();
    }
  }

  /**
   * As `ask`, of what a driver does step by step: its signal aborts when this ends early, and what had been done until
   * then goes to `late` before this rejects.
   */
  async askInSteps<T>(
    question: (connection: DriverConnection, signal: AbortSignal) => Promise<T>,
    late: (answer: T) => void = () => {},
  ): Promise<T> {
    const limit = this.#limit(ANSWER_TIMEOUT_MS);
    const over = new AbortController();
    let answer: Promise<T> | undefined;
    try {
      limit.throwIfOver();
      answer = question(this.#connection, over.signal);
      return await limit.race(answer);
    } catch (error) {
      over.abort();
      const last = answer;
      if (last !== undefined) await this.giveBack([() => last.then(late)]);
      throw error;
    } finally {
      limit.dispose();
    }
  }

  /** Lets time pass. */
  async pause(ms: number): Promise<void> {
    const limit = this.#limit();
    try {
      await pause(this.context.clock, ms, limit);
    } finally {
      limit.dispose();
    }
  }

  /** Also once this is over. Never rejects, and takes bounded time: the end of the link gives back what is left. */
  async giveBack(ways: readonly (() => Promise<unknown>)[]): Promise<void> {
    if (ways.length === 0) return;
    const lost = this.#link?.lost;
    const ended = lost === undefined ? [] : [lost];
    const limit = new Limit({ clock: this.context.clock, what: this.what, timeoutMs: GIVE_BACK_TIMEOUT_MS, ended });
    const settled = Promise.all(ways.map((way) => way()));
    await limit.race(settled).catch(() => undefined);
    limit.dispose();
  }

  /** At once: what an operator does can be repeated. */
  async close(): Promise<void> {
    this.over.end(new MessagingError("CLOSED", "this Messaging was closed meanwhile"));
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #connection(): DriverConnection {
    if (this.#link === undefined) throw new MessagingError("INTERNAL", "there is no link yet");
    return this.#link.connection;
  }

  async #acquire(): Promise<Link> {
    const { connection, connectTimeoutMs } = this.context;
    if (connection.state === "closing") throw new MessagingError("CLOSED", "this Messaging is closing");
    // A first connect has its own timeout, with the better error.
    const limit = this.#limit(connection.state === "reconnecting" ? connectTimeoutMs : undefined);
    try {
      this.#link = await connection.acquire(limit);
      return this.#link;
    } finally {
      limit.dispose();
    }
  }

  #limit(timeoutMs?: number): Limit {
    const { clock, connection } = this.context;
    const lastError = (): unknown => connection.lastError;
    const ended = [connection.ended, this.over];
    return new Limit({ clock, what: this.what, timeoutMs, signal: this.signal, ended, lastError });
  }

  #told(error: unknown): MessagingError {
    const known = this.context.driver.toMessagingError(error);
    if (known.message.startsWith(this.what)) return known;
    const { code, message, retryable } = known;
    return new MessagingError(code, `${this.what}: ${message}`, { cause: error, retryable });
  }
}
