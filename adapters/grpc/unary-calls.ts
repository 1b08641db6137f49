import type { handleUnaryCall, ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js";
import type { Clock } from "../../src/ports/clock.js";
import { toEventStatus } from "./event-errors.js";
import type { StrictRequests } from "./strict-requests.js";
import type { DrainOptions } from "./subscriber-streams.js";
import { within } from "./within.js";

export interface UnaryCallsOptions {
  readonly requests: StrictRequests;
  readonly clock: Clock;
}

/** Handlers of one request and one response, and the count of those that are not answered. */
export class UnaryCalls {
  readonly #options: UnaryCallsOptions;
  #open = 0;
  #onIdle: () => void = () => {};

  constructor(options: UnaryCallsOptions) {
    this.#options = options;
  }

  /** A handler that answers with what the promise brings, or with the status of what is thrown. */
  handler<Request extends object, Response extends object>(
    handle: (call: ServerUnaryCall<Request, Response>) => Promise<Response>,
  ): handleUnaryCall<Request, Response> {
    const { requests } = this.#options;
    const answer = async (
      call: ServerUnaryCall<Request, Response>,
      callback: sendUnaryData<Response>,
    ): Promise<void> => {
      this.#open += 1;
      try {
        requests.check(call.request);
        callback(null, await handle(call));
      } catch (error) {
        callback(toEventStatus(error));
      } finally {
        this.#open -= 1;
        if (this.#open === 0) this.#onIdle();
      }
    };
    return (call, callback) => void answer(call, callback);
  }

  /** As `handler`; the signal aborts when the client has cancelled. It costs as much as a whole post. */
  cancellable<Request extends object, Response extends object>(
    handle: (call: ServerUnaryCall<Request, Response>, signal: AbortSignal) => Promise<Response>,
  ): handleUnaryCall<Request, Response> {
    return this.handler((call: ServerUnaryCall<Request, Response>) => {
      const cancelled = new AbortController();
      call.once("cancelled", () => cancelled.abort());
      return handle(call, cancelled.signal);
    });
  }

  /** Resolves when every call is answered, or the time is over. */
  idle({ drainMs, signal }: DrainOptions): Promise<void> {
    if (this.#open === 0) return Promise.resolve();
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    return within(this.#options.clock, drainMs, idle, signal);
  }
}
