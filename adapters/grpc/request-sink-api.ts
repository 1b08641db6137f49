import { MessagingError } from "../../src/errors/messaging-error.js";
import type { Clock } from "../../src/ports/clock.js";
import { toCallStatus } from "./call-errors.js";
import type { CallStream, SignalStream } from "./call-output.js";
import { SharedTimers } from "./call-rules.js";
import type { CallServices } from "./call-services.js";
import { CallSession } from "./call-session.js";
import type { RequestSinkHandlers } from "./gen/fairlead/v1/RequestSink.js";
import { Lingering } from "./lingering.js";
import { type CallLimits, type OpenCall, OpenCalls } from "./open-calls.js";
import { SignalSession } from "./signal-session.js";
import type { Sinks } from "./sinks.js";
import type { StrictRequests } from "./strict-requests.js";
import { within } from "./within.js";

export interface RequestSinkApiOptions {
  readonly sinks: Sinks;
  readonly requests: StrictRequests;
  readonly clock: Clock;
  readonly limits: CallLimits;
}

interface Session extends OpenCall {
  start(): void;
  gone(error: MessagingError): void;
}

/** fairlead.v1.RequestSink on any sinks. */
export class RequestSinkApi {
  readonly #services: CallServices;

  constructor({ sinks, requests, clock, limits }: RequestSinkApiOptions) {
    this.#services = { sinks, requests, clock: new SharedTimers(clock), open: new OpenCalls(limits) };
  }

  handlers(): RequestSinkHandlers {
    return {
      Call: (stream) => this.#open(stream, (lingering) => new CallSession(this.#services, stream, lingering)),
      Signal: (stream) => this.#open(stream, (lingering) => new SignalSession(this.#services, stream, lingering)),
    };
  }

  /** Refuses new calls, and resolves when those that are open have ended, or the time is over; then it ends them. */
  async drain({
    drainMs,
    signal,
  }: {
    readonly drainMs: number;
    readonly signal?: AbortSignal | undefined;
  }): Promise<void> {
    const { open, clock } = this.#services;
    await within(clock, drainMs, open.drained(), signal);
    open.stopAll(new MessagingError("UNAVAILABLE", "the server shut down before the call had ended; it may have run"));
  }

  #open(stream: CallStream | SignalStream, create: (lingering: Lingering) => Session): void {
    const { open, clock } = this.#services;
    const client = stream.getPeer();
    const lingering = new Lingering(clock, () => {
      stream.destroy();
      gone();
    });
    const session = create(lingering);
    try {
      open.add(session, client);
    } catch (error) {
      stream.emit("error", toCallStatus(error));
      return;
    }
    // Told at every end, also a good one.
    const gone = (): void => {
      lingering.stop();
      open.remove(session, client);
      const isLate = Number(stream.getDeadline()) <= Date.now();
      session.gone(
        isLate
          ? new MessagingError("TIMEOUT", "the deadline of the rpc is over")
          : new MessagingError("ABORTED", "the client cancelled the call, or its connection is lost"),
      );
    };
    stream.once("cancelled", gone);
    stream.once("close", gone);
    session.start();
  }
}
