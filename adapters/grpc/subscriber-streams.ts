import { MessagingError } from "../../src/errors/messaging-error.js";
import type { EventSink, EventSubscription } from "../../src/events/index.js";
import type { Clock } from "../../src/ports/clock.js";
import { onAbort } from "../../src/util/abort.js";
import { toEventStatus } from "./event-errors.js";
import type { StreamEnd } from "./stream-end.js";
import { within } from "./within.js";

export interface SubscriberStream extends EventSink {
  readonly ending: StreamEnd;
  /** Resolves when nothing that came on it is left to be answered. */
  answered?(): Promise<void>;
  /** Ends it with OK, behind what it has for its reader. */
  finish(): Promise<void>;
}

export interface SubscriberStreamsOptions {
  readonly clock: Clock;
  readonly refusalDelayMs: number;
}

interface OpenStream {
  readonly clientId: string;
  /** None while it is left unanswered, or waits to be refused. */
  readonly subscription: EventSubscription | undefined;
}

export interface DrainOptions {
  readonly drainMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The longest wait for a stream to end that its reader does not drain. */
const END_TIMEOUT_MS = 1_000;

/** Every stream on which events go out, whichever service it is of. */
export class SubscriberStreams {
  readonly #options: SubscriberStreamsOptions;
  readonly #streams = new Map<SubscriberStream, OpenStream>();
  #isDraining = false;

  constructor(options: SubscriberStreamsOptions) {
    this.#options = options;
  }

  /**
   * Subscribes the stream. Where that must be refused it is left waiting first, and left open where the server drains: a
   * quick end would bring some clients back at once, and again. Then there is no subscription.
   */
  open(stream: SubscriberStream, clientId: string, subscribe: () => EventSubscription): EventSubscription | undefined {
    this.#streams.set(stream, { clientId, subscription: undefined });
    onAbort(stream.ending.gone, () => this.#streams.delete(stream));
    if (this.#isDraining) return undefined;
    try {
      const subscription = subscribe();
      this.#streams.set(stream, { clientId, subscription });
      return subscription;
    } catch (error) {
      if (!MessagingError.is(error, "CLOSED")) this.refuseLater(stream.ending, error);
      return undefined;
    }
  }

  /** Ends the stream with an error, but not quickly. */
  refuseLater(ending: StreamEnd, error: unknown): void {
    const { clock, refusalDelayMs } = this.#options;
    const cancel = clock.setTimer(refusalDelayMs, () => void ending.fail(toEventStatus(error)));
    onAbort(ending.gone, cancel);
  }

  /** Hands over nothing more, and resolves when what is out has been acknowledged, or the time is over. */
  async drain(options: DrainOptions): Promise<void> {
    this.#isDraining = true;
    await Promise.all(
      [...this.#streams].map(async ([stream, { subscription }]) => {
        stream.ending.endLater();
        await subscription?.close(options);
        await within(this.#options.clock, options.drainMs, stream.answered?.() ?? Promise.resolve(), options.signal);
      }),
    );
  }

  /** A drain leaves streams open; this client has to see its own end before its Close is answered. */
  async endDrained(clientId: string): Promise<void> {
    if (!this.#isDraining) return;
    const own = [...this.#streams].filter(([, open]) => open.clientId === clientId);
    const ended = Promise.all(own.map(([stream]) => stream.finish()));
    await within(this.#options.clock, END_TIMEOUT_MS, ended);
  }

  /** Ends what is still open. */
  async endAll(): Promise<void> {
    await Promise.all([...this.#streams.keys()].map((stream) => stream.finish()));
  }
}
