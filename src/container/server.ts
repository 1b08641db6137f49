import { observeWith } from "../core/observe.js";
import { systemClock } from "../core/system-clock.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Clock } from "../ports/clock.js";
import type { Gateway } from "../ports/gateway.js";
import type { Closeable, CloseOptions } from "../ports/lifecycle.js";
import type { Messaging } from "../ports/messaging.js";
import type { Observer } from "../ports/observer.js";
import type { RequestServer } from "../ports/request-sink.js";
import { onAbort } from "../util/abort.js";
import { deferred } from "../util/deferred.js";
import { errorText, toError } from "../util/error-text.js";
import type { ServedSink } from "./served-sink.js";

export interface ServerOptions {
  readonly messaging: Messaging;
  /** What the gateways serve, where it must be closed between them and the messaging. */
  readonly events?: Closeable | undefined;
  readonly gateways?: readonly Gateway[] | undefined;
  /** Served on the broker, from the start to the close. */
  readonly sinks?: readonly ServedSink[] | undefined;
  /** Is told of a part that did not close within its time. */
  readonly observers?: readonly Observer[] | undefined;
  readonly clock?: Clock | undefined;
}

const DEFAULT_DRAIN_MS = 30_000;
/** What a part may take beyond the drain, to flush and to say goodbye. */
const CLOSE_GRACE_MS = 10_000;

/**
 * Everything that one process serves, as one thing to start and to close. Owns its parts: it closes them in order,
 * gateways first, then what answers requests, then the event service, then the messaging, and when one of them ends by
 * itself it closes the others and resolves `closed` with the cause.
 */
export class Server implements Closeable {
  readonly closed: Promise<Error | undefined>;
  readonly #closed = deferred<Error | undefined>();
  readonly #messaging: Messaging;
  readonly #events: Closeable | undefined;
  readonly #gateways: readonly Gateway[];
  readonly #sinks: readonly ServedSink[];
  readonly #requestServers: RequestServer[] = [];
  readonly #observe: Observer;
  readonly #clock: Clock;
  readonly #stopStart = new AbortController();
  #starting: Promise<readonly string[]> | undefined;
  #closing: Promise<void> | undefined;

  constructor({ messaging, events, gateways = [], sinks = [], observers = [], clock = systemClock }: ServerOptions) {
    this.closed = this.#closed.promise;
    this.#messaging = messaging;
    this.#events = events;
    this.#gateways = gateways;
    this.#sinks = sinks;
    this.#observe = observeWith(observers);
    this.#clock = clock;
  }

  /**
   * Opens the messaging, serves the sinks, starts the gateways, and resolves with their addresses in order. If any of it fails, closes what
   * was opened and rejects with the cause; `CLOSED` when `close()` came first. A second call awaits the first.
   */
  start(): Promise<readonly string[]> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /**
   * Stops intake and drains, part after part, all of them within `drainMs` and 10 s for each part beyond. A part that
   * takes longer is told to the observers and left behind.
   */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#shutDown(options, undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<readonly string[]> {
    const { signal } = this.#stopStart;
    const stopped = deferred<never>();
    const forget = onAbort(signal, () => stopped.reject(signal.reason));
    try {
      // A part that does not answer must not hold up whoever waits for the start once the server is closed.
      const addresses = await Promise.race([this.#open(), stopped.promise]);
      this.#watch();
      return addresses;
    } catch (error) {
      const cause = signal.aborted ? closedError() : error;
      await this.#shutDown({ drainMs: 0 }, toError(cause));
      throw cause;
    } finally {
      forget();
    }
  }

  async #open(): Promise<readonly string[]> {
    const { signal } = this.#stopStart;
    signal.throwIfAborted();
    await this.#messaging.open({ signal });
    for (const { name, sink, options = {} } of this.#sinks) {
      signal.throwIfAborted();
      this.#requestServers.push(await this.#messaging.serve(name, sink, options));
    }
    const addresses: string[] = [];
    for (const gateway of this.#gateways) {
      signal.throwIfAborted();
      addresses.push(await gateway.start());
    }
    signal.throwIfAborted();
    return addresses;
  }

  /** A part that ends by itself takes the others along: half a server would take work that it cannot do. */
  #watch(): void {
    for (const [name, part] of this.#parts()) {
      void part.closed.then((error) => {
        const cause = error ?? new MessagingError("CLOSED", `${name} was closed while the server ran`);
        void this.#shutDown({ drainMs: 0 }, cause);
      });
    }
  }

  #shutDown(options: CloseOptions, cause: Error | undefined): Promise<void> {
    this.#closing ??= this.#closeParts(options).then(() => this.#closed.resolve(cause));
    return this.#closing;
  }

  async #closeParts({ drainMs = DEFAULT_DRAIN_MS, signal }: CloseOptions): Promise<void> {
    this.#stopStart.abort(closedError());
    const deadline = this.#clock.now() + drainMs;
    const close = (name: string, part: Closeable): Promise<void> =>
      this.#closePart(name, part, { drainMs: Math.max(0, deadline - this.#clock.now()), signal });
    const gateways = Promise.all(this.#gateways.map((gateway) => close("gateway", gateway)));
    // What waits in the gateways may have to be answered here; but what is answered here needs time to finish, too.
    if (this.#requestServers.length > 0) await this.#orWithin(gateways, drainMs / 2);
    const requests = this.#requestServers.map((server) => close("request server", server));
    await Promise.all([gateways, ...requests]);
    if (this.#events !== undefined) await close("event service", this.#events);
    await close("messaging", this.#messaging);
  }

  async #closePart(name: string, part: Closeable, options: CloseOptions & { readonly drainMs: number }): Promise<void> {
    const limitMs = options.drainMs + CLOSE_GRACE_MS;
    const late = deferred<string>();
    const cancel = this.#clock.setTimer(limitMs, () => late.resolve(`did not close within ${limitMs} ms`));
    const outcome = part.close(options).then(
      () => undefined,
      (error: unknown) => `failed to close: ${errorText(error)}`,
    );
    const trouble = await Promise.race([outcome, late.promise]);
    cancel();
    if (trouble !== undefined) this.#observe({ type: "discarded", source: name, reason: trouble });
  }

  async #orWithin(done: Promise<unknown>, ms: number): Promise<void> {
    const late = deferred<void>();
    const cancel = this.#clock.setTimer(ms, () => late.resolve());
    await Promise.race([done, late.promise]);
    cancel();
  }

  #parts(): [string, Closeable][] {
    const gateways = this.#gateways.map((gateway): [string, Closeable] => ["a gateway", gateway]);
    const servers = this.#requestServers.map((server): [string, Closeable] => ["a request server", server]);
    const events: [string, Closeable][] = this.#events === undefined ? [] : [["the event service", this.#events]];
    return [...gateways, ...servers, ...events, ["the messaging", this.#messaging]];
  }
}

function closedError(): MessagingError {
  return new MessagingError("CLOSED", "the server was closed; make a new one to go on");
}
