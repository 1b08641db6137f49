import type { handleUnaryCall, ServerUnaryCall } from "@grpc/grpc-js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { EventService, EventSubscription } from "../../src/events/index.js";
import type { Clock } from "../../src/ports/clock.js";
import { onAbort } from "../../src/util/abort.js";
import { toErrorStatus } from "./errors.js";
import { EventStream, type SubscribeCall } from "./event-stream.js";
import type { QueueApiHandlers } from "./gen/queue/QueueApi.js";
import { toOutgoingEvent } from "./mapping.js";
import type { StrictRequests } from "./strict-requests.js";
import { within } from "./within.js";

export interface QueueApiOptions {
  readonly events: EventService;
  readonly requests: StrictRequests;
  readonly clock: Clock;
  readonly refusalDelayMs: number;
}

interface OpenStream {
  readonly clientId: string;
  /** None while it is left unanswered, or waits to be refused. */
  readonly subscription?: EventSubscription;
}

/** The longest wait for a stream to end that its reader does not drain. */
const END_TIMEOUT_MS = 1_000;

/** queue.QueueApi on an event service. */
export class QueueApi {
  readonly #options: QueueApiOptions;
  readonly #streams = new Map<EventStream, OpenStream>();
  #unaryCalls = 0;
  #onIdle: () => void = () => {};
  #isDraining = false;

  constructor(options: QueueApiOptions) {
    this.#options = options;
  }

  handlers(): QueueApiHandlers {
    const { events } = this.#options;
    return {
      PostEvent: this.#unary(async ({ request }, signal) => {
        if (this.#isDraining) throw new MessagingError("CLOSED", "this server is shutting down; post to another");
        await events.post(toOutgoingEvent(request), { signal });
      }),
      SubscribeEvents: (call) => this.#subscribe(call),
      Ack: this.#unary(async ({ request }) => void (await events.ack(request.userToken, request.success))),
      Close: this.#unary(({ request }) => this.#close(request.clientId)),
    };
  }

  /**
   * Refuses posts, leaves new subscribers waiting, hands over nothing more, and resolves when what is out has been
   * acknowledged and every call but the streams is answered, or the time is over.
   */
  async drain(options: { readonly drainMs: number; readonly signal?: AbortSignal | undefined }): Promise<void> {
    this.#isDraining = true;
    const subscriptions = [...this.#streams].map(([stream, { subscription }]) => {
      stream.endLater();
      return subscription?.close(options);
    });
    await Promise.all([...subscriptions, this.#idle(options)]);
  }

  /** Ends what is still open. */
  async endStreams(): Promise<void> {
    await Promise.all([...this.#streams.keys()].map((stream) => stream.finish()));
  }

  async #close(clientId: string): Promise<void> {
    await this.#options.events.closeClient(clientId);
    if (!this.#isDraining) return;
    // A drain leaves streams open; this client has to see its own end before the answer.
    const own = [...this.#streams].filter(([, open]) => open.clientId === clientId);
    await within(this.#options.clock, END_TIMEOUT_MS, Promise.all(own.map(([stream]) => stream.finish())));
  }

  #subscribe(call: SubscribeCall): void {
    const { clientId } = call.request;
    const stream = new EventStream(call);
    this.#streams.set(stream, { clientId });
    onAbort(stream.gone, () => this.#streams.delete(stream));
    // Left unanswered, it ends with its connection: a quick end would bring the client back at once, and again.
    if (this.#isDraining) return;
    const { events, requests } = this.#options;
    try {
      requests.check(call.request);
      const subscription = events.subscribe(clientId, stream, { signal: stream.gone });
      this.#streams.set(stream, { clientId, subscription });
    } catch (error) {
      if (!MessagingError.is(error, "CLOSED")) this.#refuseLater(stream, error);
    }
  }

  #refuseLater(stream: EventStream, error: unknown): void {
    const { clock, refusalDelayMs } = this.#options;
    const cancel = clock.setTimer(refusalDelayMs, () => void stream.fail(toErrorStatus(error)));
    onAbort(stream.gone, cancel);
  }

  /** A handler that answers with an empty message, or with the status of what it throws. */
  #unary<Request extends object>(
    handle: (call: ServerUnaryCall<Request, object>, signal: AbortSignal) => Promise<void>,
  ): handleUnaryCall<Request, object> {
    return (call, callback) => {
      const cancelled = new AbortController();
      call.once("cancelled", () => cancelled.abort());
      const answer = async (): Promise<void> => {
        this.#options.requests.check(call.request);
        await handle(call, cancelled.signal);
      };
      this.#unaryCalls += 1;
      void answer()
        .then(
          () => callback(null, {}),
          (error: unknown) => callback(toErrorStatus(error)),
        )
        .finally(() => {
          this.#unaryCalls -= 1;
          if (this.#unaryCalls === 0) this.#onIdle();
        });
    };
  }

  #idle({ drainMs, signal }: { readonly drainMs: number; readonly signal?: AbortSignal | undefined }): Promise<void> {
    if (this.#unaryCalls === 0) return Promise.resolve();
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    return within(this.#options.clock, drainMs, idle, signal);
  }
}
