import type { DriverConnection, DriverResource } from "../driver/driver.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Closeable, CloseOptions } from "../ports/lifecycle.js";
import { onAbort } from "../util/abort.js";
import { deferred } from "../util/deferred.js";
import type { Ending } from "../util/ending.js";
import { Closing } from "./closing.js";
import type { CoreContext } from "./core-context.js";
import { drained } from "./drain.js";
import { Limit } from "./limit.js";
import { type Life, Supervised } from "./supervised.js";

export type PortState = "recovering" | "live" | "closing" | "closed";

export interface SupervisedPortOptions<R extends DriverResource> {
  /** For the errors: "consume orders". */
  readonly what: string;
  /** What the application holds; closes with the Messaging. */
  readonly owner: Closeable;
  create(connection: DriverConnection, onLost: (error: unknown) => void, lost: Ending<MessagingError>): Promise<R>;
  onState(state: PortState, error: Error | undefined): void;
  /** Nothing new is accepted from now on; what waits is given back. */
  onClosing(): void;
  /** How much is not done yet. */
  left(): number;
  /** The drain time is over: tells what still runs. */
  interrupt(): void;
  /** Gives back what did not heed that. */
  abandon(): void;
}

/** A consumer or subscription from its start to its close: a bounded start, recovery in between, one drain at the end. */
export class SupervisedPort<R extends DriverResource> {
  readonly closed: Promise<Error | undefined>;
  readonly #context: CoreContext;
  readonly #options: SupervisedPortOptions<R>;
  readonly #supervised: Supervised<R>;
  readonly #closed = deferred<Error | undefined>();
  readonly #closing: Closing;
  #state: PortState = "recovering";
  #onProgress: () => void = () => {};
  #forgetSignal: () => void = () => {};

  constructor(context: CoreContext, options: SupervisedPortOptions<R>) {
    const { driver, connection, clock, random } = context;
    this.#context = context;
    this.#options = options;
    this.closed = this.#closed.promise;
    this.#closing = new Closing(clock);
    this.#supervised = new Supervised<R>({
      what: options.what,
      connection,
      clock,
      random,
      toMessagingError: (error) => driver.toMessagingError(error),
      create: (link, onLost, lost) => options.create(link, onLost, lost),
      onLive: () => this.#setState("live"),
      onRecovering: (error) => this.#setState("recovering", error),
      onFailed: (error) => this.fail(error),
    });
  }

  get state(): PortState {
    return this.#state;
  }

  get isClosing(): boolean {
    return this.#closing.isRequested;
  }

  /** For a start that has failed: nothing is waited for, unless that is why. Whoever closes it has said for how long. */
  get failedDrainMs(): number {
    return this.isClosing ? Number.POSITIVE_INFINITY : 0;
  }

  get life(): Life<R> | undefined {
    return this.#supervised.life;
  }

  /** To be called when something got done, for a drain that may wait for it. */
  progress(): void {
    this.#onProgress();
  }

  /** Resolves once live; rejects within the connect timeout. Aborting the signal later closes. */
  async start(signal: AbortSignal | undefined): Promise<void> {
    const { clock, connection, connectTimeoutMs, open } = this.#context;
    const { what, owner } = this.#options;
    const ended = [connection.ended, this.#supervised.stopped];
    const lastError = (): unknown => this.#supervised.lastError;
    const limit = new Limit({ clock, what, timeoutMs: connectTimeoutMs, signal, ended, lastError });
    open.add(owner);
    try {
      if (connection.state === "closing") throw new MessagingError("CLOSED", `${what}: this Messaging is closing`);
      await this.#supervised.start(limit);
    } catch (error) {
      await this.close({ drainMs: this.failedDrainMs });
      throw error;
    } finally {
      limit.dispose();
    }
    // A close of the whole Messaging may have come in between: it has closed this too.
    if (this.isClosing) throw new MessagingError("CLOSED", `${what}: closed meanwhile`);
    this.#forgetSignal = onAbort(signal, () => void this.close());
  }

  close(options: CloseOptions = {}): Promise<void> {
    return this.#shut(options, undefined);
  }

  /** What it cannot do without is gone for good: it closes, and says why. */
  fail(error: Error): void {
    void this.#shut({ drainMs: 0 }, error);
  }

  #shut(options: CloseOptions, error: Error | undefined): Promise<void> {
    return this.#closing.request(options, () => this.#drain(error));
  }

  async #drain(error: Error | undefined): Promise<void> {
    const { left, interrupt, abandon, onClosing, owner } = this.#options;
    this.#forgetSignal();
    this.#setState("closing", error);
    // Not awaited before what waits is given back: a broker that does not answer must not hold it.
    const stopped = this.#supervised.stop();
    onClosing();
    await drained(this.#context.clock, {
      over: this.#closing.over,
      stopped,
      left,
      interrupt,
      abandon,
      onProgress: (listener) => {
        this.#onProgress = listener;
      },
    });
    this.#supervised.detach();
    this.#context.open.delete(owner);
    this.#setState("closed", error);
    this.#closed.resolve(error);
  }

  /** A failed try while it recovers is told too, in the same state: silence would look like success. */
  #setState(state: PortState, error?: Error): void {
    const isOver = this.#state === "closing" || this.#state === "closed";
    if (isOver && state !== "closed") return;
    if (this.#state === state && !(state === "recovering" && error !== undefined)) return;
    this.#state = state;
    this.#options.onState(state, error);
  }
}
