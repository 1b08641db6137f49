import { MessagingError } from "../../../src/errors/messaging-error.js";
import { deferred } from "../../../src/util/deferred.js";
import { parseJson } from "../../../src/util/parse-json.js";
import { Ring } from "../../../src/util/ring.js";
import type { AckOutcome } from "./ack-outcome.js";
import { toCallFailure } from "./call-failure.js";
import type { EventHandler, ReceivedEvent } from "./event.js";
import type { EventSource, IncomingEvent } from "./event-source.js";
import type { EventsClientNotice } from "./notice.js";
import type { ServerLink } from "./server-link.js";

export interface EventHandlingOptions {
  readonly handler: EventHandler;
  readonly concurrency: number;
  /** Tells the server, in whatever way it can be told. */
  ack(event: IncomingEvent, success: boolean, origin: EventOrigin, signal: AbortSignal): Promise<AckOutcome>;
  notify(notice: EventsClientNotice): void;
}

/** Where an event came from. */
export interface EventOrigin {
  readonly source: EventSource;
  readonly link: ServerLink;
}

interface Waiting {
  readonly event: IncomingEvent;
  readonly origin: EventOrigin;
}

/** The most that a server hands one subscriber. */
export const MAX_CONCURRENCY = 1_000;
/** A server that goes on without answers must not fill the memory. */
const MAX_UNANSWERED = MAX_CONCURRENCY;

/** Runs the handler, so many at once, and tells the server what each came to. */
export class EventHandling {
  readonly #options: EventHandlingOptions;
  readonly #waiting = new Ring<Waiting>();
  readonly #running = new Map<AbortController, EventSource>();
  readonly #over = new AbortController();
  readonly #left = deferred<void>();
  #unanswered = 0;
  #paused: EventSource | undefined;
  #isStopped = false;
  #onIdle: () => void = () => {};

  constructor(options: EventHandlingOptions) {
    this.#options = options;
  }

  /** Resolves when something was left unanswered after the stop: it costs an attempt unless the stream ends in time. */
  get left(): Promise<void> {
    return this.#left.promise;
  }

  take(event: IncomingEvent, origin: EventOrigin): void {
    if (this.#isStopped) {
      this.#left.resolve();
      return;
    }
    const { source } = origin;
    this.#waiting.push({ event, origin });
    this.#advance();
    if (this.#waiting.size > 0 && this.#paused !== source) {
      this.#paused = source;
      source.pause();
    }
  }

  /** The stream is over: what came through it belongs to the server again. */
  lose(source: EventSource): void {
    if (this.#paused === source) this.#paused = undefined;
    this.#waiting.clear();
    const reason = new MessagingError("UNAVAILABLE", "the stream that brought this event is over");
    for (const [controller, from] of this.#running) if (from === source) controller.abort(reason);
  }

  /** Begins nothing more. Resolves when all handlers have ended and the server knows. */
  stopped(): Promise<void> {
    this.#isStopped = true;
    if (this.#waiting.size > 0) this.#left.resolve();
    this.#waiting.clear();
    const idle = deferred<void>();
    this.#onIdle = idle.resolve;
    this.#tellIdle();
    return idle.promise;
  }

  /** Aborts what runs, and tells nobody what it comes to. */
  giveUp(reason: MessagingError): void {
    this.#isStopped = true;
    this.#waiting.clear();
    for (const controller of this.#running.keys()) controller.abort(reason);
    this.#over.abort(reason);
  }

  #advance(): void {
    const { concurrency } = this.#options;
    while (this.#running.size < concurrency && this.#unanswered < MAX_UNANSWERED) {
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#paused?.resume();
        this.#paused = undefined;
        return;
      }
      void this.#run(next);
    }
  }

  async #run({ event, origin }: Waiting): Promise<void> {
    const controller = new AbortController();
    this.#running.set(controller, origin.source);
    this.#unanswered += 1;
    const received = toReceived(event, controller.signal);
    const success = await this.#handle(received);
    this.#running.delete(controller);
    this.#advance();
    if (!this.#over.signal.aborted) await this.#answer(received, event, success, origin);
    this.#unanswered -= 1;
    this.#advance();
    this.#tellIdle();
  }

  async #handle(event: ReceivedEvent): Promise<boolean> {
    try {
      await this.#options.handler(event);
      return true;
    } catch (error) {
      this.#options.notify({ type: "handler-failed", error, event });
      return false;
    }
  }

  async #answer(received: ReceivedEvent, event: IncomingEvent, success: boolean, origin: EventOrigin): Promise<void> {
    try {
      const outcome = await this.#options.ack(event, success, origin, this.#over.signal);
      if (outcome !== "ok") this.#options.notify({ type: "ack-ignored", outcome, event: received });
    } catch (error) {
      this.#options.notify({ type: "ack-failed", error: toCallFailure(error, "ack"), event: received });
    }
  }

  #tellIdle(): void {
    if (this.#isStopped && this.#unanswered === 0) this.#onIdle();
  }
}

function toReceived(event: IncomingEvent, signal: AbortSignal): ReceivedEvent {
  const { ackToken: _, ...rest } = event;
  const { body } = event;
  const json = (): unknown => parseJson(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8"));
  return { ...rest, signal, json };
}
