import { MessagingError } from "../../src/errors/messaging-error.js";
import type { EventService, EventSubscription } from "../../src/events/index.js";
import type { Cancel, Clock } from "../../src/ports/clock.js";
import { onAbort } from "../../src/util/abort.js";
import type { SubscribeRequest__Output } from "./gen/fairlead/v1/SubscribeRequest.js";
import { holdOneMessage } from "./one-at-a-time.js";
import type { StrictRequests } from "./strict-requests.js";
import { type SubscribeCall, SubscribeStream } from "./subscribe-stream.js";
import type { SubscriberStreams } from "./subscriber-streams.js";

export interface SubscribeSessionOptions {
  readonly call: SubscribeCall;
  readonly events: EventService;
  readonly requests: StrictRequests;
  readonly streams: SubscriberStreams;
  readonly clock: Clock;
}

const FIRST_REQUEST_MS = 10_000;

/** One Subscribe call: what comes in, its subscription, and its acks. */
export class SubscribeSession {
  readonly #options: SubscribeSessionOptions;
  readonly #stream: SubscribeStream;
  readonly #over = new AbortController();
  readonly #cancelWait: Cancel;
  #clientId: string | undefined;
  #subscription: EventSubscription | undefined;
  #givesCredit = false;

  constructor(options: SubscribeSessionOptions) {
    const { call, clock } = options;
    this.#options = options;
    this.#stream = new SubscribeStream(call, () => this.#read());
    this.#cancelWait = clock.setTimer(FIRST_REQUEST_MS, () =>
      this.#refuse(invalid(`no request came within ${FIRST_REQUEST_MS} ms`)),
    );
    onAbort(this.#stream.ending.gone, () => this.#stop());
  }

  start(): void {
    const { call } = this.#options;
    holdOneMessage(call);
    call.on("data", (request: SubscribeRequest__Output) => this.#take(request));
    call.once("end", () => {
      if (this.#clientId === undefined) this.#refuse(invalid("half-closed before the first request"));
    });
  }

  #take(request: SubscribeRequest__Output): void {
    if (this.#over.signal.aborted) return;
    try {
      this.#options.requests.check(request);
      for (const ack of request.acks) this.#options.requests.check(ack);
      if (this.#clientId === undefined) this.#begin(request);
      else this.#goOn(this.#clientId, request);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    for (const { ackToken, success } of request.acks) {
      this.#stream.answer(ackToken, this.#options.events.ack(ackToken, success));
    }
    this.#read();
  }

  #begin({ clientId, credit }: SubscribeRequest__Output): void {
    const { events, streams } = this.#options;
    this.#cancelWait();
    this.#clientId = clientId;
    this.#subscription = streams.open(this.#stream, clientId, () =>
      events.subscribe(clientId, this.#stream, {
        credit: credit === undefined ? "adaptive" : toTotal(credit),
        signal: this.#over.signal,
      }),
    );
    this.#givesCredit = credit !== undefined;
  }

  #goOn(own: string, { clientId, credit }: SubscribeRequest__Output): void {
    if (clientId !== "" && clientId !== own) throw invalid("client_id differs from that of the first request");
    if (credit !== undefined && this.#givesCredit) this.#subscription?.setCredit(toTotal(credit));
  }

  /** On, or not until there is room for the answers. */
  #read(): void {
    const { call } = this.#options;
    if (this.#stream.isFull) call.pause();
    else call.resume();
  }

  /** What the client holds goes to others at once; it is told later. */
  #refuse(error: unknown): void {
    if (this.#over.signal.aborted) return;
    this.#stream.ending.endLater();
    this.#stop();
    this.#options.streams.refuseLater(this.#stream.ending, error);
  }

  #stop(): void {
    this.#cancelWait();
    this.#over.abort();
  }
}

/** Beyond the safe integers nobody counts. */
function toTotal(credit: string): number {
  return Math.min(Number(credit), Number.MAX_SAFE_INTEGER);
}

function invalid(fault: string): MessagingError {
  return new MessagingError("INVALID_ARGUMENT", fault);
}
