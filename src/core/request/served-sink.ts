import type { Cancel } from "../../ports/clock.js";
import type { RequestMessage, RequestSink } from "../../ports/request-sink.js";
import { toError } from "../../util/error-text.js";
import type { CoreContext } from "../core-context.js";
import type { ServerCall } from "./server-call.js";
import { abortSink, signalSink } from "./signal-sink.js";

export interface ServedSinkOptions {
  readonly context: CoreContext;
  /** Under which it is served. */
  readonly name: string;
  readonly sink: RequestSink<unknown, unknown>;
  /** How long it may take to notice that a call is over. */
  readonly leaveMs: number;
  readonly calls: ReadonlyMap<string, ServerCall>;
}

/** The sink of one server: given its requests, told of their aborts, and reported when it does not let go of a call. */
export class ServedSink {
  readonly #options: ServedSinkOptions;
  /** Calls that were told to stop and whose sink has not shown that it knows. */
  readonly #leaving = new Map<ServerCall, Cancel>();

  constructor(options: ServedSinkOptions) {
    this.#options = options;
  }

  get leaving(): number {
    return this.#leaving.size;
  }

  signal(message: RequestMessage<unknown>, call: ServerCall): void {
    call.isStarted = true;
    signalSink(this.#options.sink, message, call, (thrown) => this.#onThrown(call.callId, thrown));
  }

  /** The call's signal has aborted. */
  abort(call: ServerCall): void {
    const { context, name, sink, leaveMs, calls } = this.#options;
    const { callId } = call;
    if (!call.isStarted) return;
    const isAmbiguous = [...calls.values()].some((other) => other.callId === callId);
    if (!isAmbiguous) abortSink(sink, callId, (thrown) => this.#onThrown(callId, thrown));
    if (call.isLeft) return;
    const cancel = context.clock.setTimer(leaveMs, () => {
      this.#leaving.delete(call);
      if (!call.isLeft) context.observe({ type: "call-abandoned", sink: name, callId });
    });
    this.#leaving.set(call, cancel);
  }

  /** Nobody is reported any more. */
  close(): void {
    for (const cancel of this.#leaving.values()) cancel();
    this.#leaving.clear();
  }

  #onThrown(callId: string, thrown: unknown): void {
    const { context, name } = this.#options;
    context.observe({ type: "handler-failed", source: name, messageId: callId, error: toError(thrown) });
  }
}
