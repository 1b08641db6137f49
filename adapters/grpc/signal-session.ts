import type { MessagingError } from "../../src/errors/messaging-error.js";
import { type CallOutput, SignalResponses, type SignalStream } from "./call-output.js";
import { readSignalRequest } from "./call-request.js";
import { type CallServices, serveCall } from "./call-services.js";
import type { Lingering } from "./lingering.js";
import type { OpenCall } from "./open-calls.js";
import type { ServedCall } from "./served-call.js";
import { findSink } from "./sinks.js";

/** One stream of the rpc Signal. */
export class SignalSession implements OpenCall {
  readonly #services: CallServices;
  readonly #stream: SignalStream;
  readonly #output: CallOutput;
  #served: ServedCall | undefined;

  constructor(services: CallServices, stream: SignalStream, lingering: Lingering) {
    this.#services = services;
    this.#stream = stream;
    this.#output = new SignalResponses(stream, {
      onWritten: () => {
        lingering.progress();
        this.#served?.written();
      },
      onEnding: (isCut) => lingering.start(isCut),
    });
  }

  /** To be called once. */
  start(): void {
    const { request: raw } = this.#stream;
    const { requests, sinks, clock } = this.#services;
    try {
      requests.check(raw);
      const latest = Number(this.#stream.getDeadline());
      const request = readSignalRequest(raw, latest !== Number.POSITIVE_INFINITY);
      const sink = findSink(sinks, request.sink);
      const arrivedAt = clock.now();
      const endsAt = request.timeoutMs === undefined ? latest : arrivedAt + request.timeoutMs;
      const whole = { request, body: raw.body, sink, arrivedAt, endsAt, latest };
      const call = serveCall(this.#services, whole, { output: this.#output, takenByTransport: true });
      this.#served = call.served;
      call.start();
    } catch (error) {
      this.#output.cut(error);
    }
  }

  gone(error: MessagingError): void {
    this.#output.close();
    this.#served?.abort(error);
  }

  stop(error: MessagingError): void {
    this.#served?.abort(error);
    this.#output.fail(error);
  }
}
