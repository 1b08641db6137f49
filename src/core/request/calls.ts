import { MessagingError } from "../../errors/messaging-error.js";
import type { Clock, Random } from "../../ports/clock.js";
import type {
  CallOptions,
  CallRequest,
  RequestMessage,
  RequestSink,
  ResponseMessage,
  ResponseStream,
} from "../../ports/request-sink.js";
import { onAbort } from "../../util/abort.js";
import { checkHeaders, invalid } from "../options.js";
import { systemClock } from "../system-clock.js";
import { systemRandom } from "../system-random.js";
import { type ResolvedCallOptions, resolveCallOptions } from "./call-options.js";
import { CallerContext } from "./caller-context.js";
import { ResponseReader } from "./response-reader.js";
import { SharedTimers } from "./shared-timers.js";
import { signalSink } from "./signal-sink.js";
import { sizeOfBody } from "./size-of-body.js";

/** The ways to send a request to a sink. */
export interface Calls {
  /**
   * Starts a call. Throws `INVALID_ARGUMENT` for options that it cannot use; all else is told by the stream. Leaving the
   * loop early aborts the call.
   */
  call<Req, Res>(sink: RequestSink<Req, Res>, request: CallRequest<Req>, options: CallOptions): ResponseStream<Res>;
  /**
   * The one response. Rejects with `DATA_LOSS` if there is none, with `REMOTE` (and an abort) if there is a second, and
   * with the call's error.
   */
  callOne<Req, Res>(
    sink: RequestSink<Req, Res>,
    request: CallRequest<Req>,
    options: CallOptions,
  ): Promise<ResponseMessage<Res>>;
  /**
   * No responses are wanted. Resolves once the sink has taken the request (over a broker: once it is in the queue);
   * rejects if it could not.
   */
  callOneWay<Req, Res>(sink: RequestSink<Req, Res>, request: CallRequest<Req>, options: CallOptions): Promise<void>;
}

/** The same on another clock: for simulations. */
export function createCalls({ clock, random }: { readonly clock: Clock; readonly random: Random }): Calls {
  const timers = new SharedTimers(clock);

  function start<Req, Res>(
    sink: RequestSink<Req, Res>,
    request: CallRequest<Req>,
    options: ResolvedCallOptions,
    window: number,
  ): CallerContext<Res> {
    const { body, headers, contentType, callId = random.uuid() } = request;
    if (typeof callId !== "string" || callId === "") throw invalid(["call: callId must be a non-empty string"]);
    if (headers !== undefined) checkHeaders(headers);
    const { priority, idempotent, signal } = options;
    const context = new CallerContext<Res>(timers, callId, options, sizeOfBody, window);
    const message: RequestMessage<Req> = {
      callId,
      body,
      headers,
      contentType,
      priority,
      idempotent,
      timestamp: clock.now(),
    };
    if (signal !== undefined) {
      const forget = onAbort(signal, () =>
        context.discard(new MessagingError("ABORTED", "call: aborted by its signal", { cause: signal.reason })),
      );
      context.whenOver(forget);
    }
    if (context.final !== undefined) return context;
    signalSink(sink, message, context);
    return context;
  }

  return {
    call(sink, request, options) {
      const resolved = resolveCallOptions(options);
      return new ResponseReader(start(sink, request, resolved, resolved.window));
    },

    async callOne(sink, request, options) {
      const resolved = resolveCallOptions(options);
      return theOnly(start(sink, request, resolved, resolved.window));
    },

    async callOneWay(sink, request, options) {
      await start(sink, request, resolveCallOptions(options), 0).ended;
    },
  };
}

export const { call, callOne, callOneWay } = createCalls({ clock: systemClock, random: systemRandom });

/** The one response of a call, once that is over. No reader in between: a promise for each of its steps would cost as much. */
async function theOnly<Res>(context: CallerContext<Res>): Promise<ResponseMessage<Res>> {
  let only: ResponseMessage<Res> | undefined;
  while (context.final === undefined || context.unread > 0) {
    const response = context.take();
    if (response === undefined) await context.news();
    else if (only === undefined) only = response;
    else {
      const error = new MessagingError("REMOTE", "callOne: there was more than one response");
      context.discard(new MessagingError("ABORTED", "call: aborted by its caller"));
      throw error;
    }
  }
  const { error } = context.final;
  if (error !== undefined) throw error;
  if (only === undefined) throw new MessagingError("DATA_LOSS", "callOne: the call ended without a response");
  return only;
}
