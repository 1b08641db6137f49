import type { RequestContext, RequestMessage, RequestSink, ResponseMessage } from "../../ports/request-sink.js";
import { asMessagingError } from "./as-messaging-error.js";

/** What a handler may see of its call: the responses and the end are told by what it yields. */
export type HandlerContext<Res> = Pick<
  RequestContext<Res>,
  "callId" | "deadline" | "signal" | "window" | "windowBytes" | "keepAlive"
>;

/**
 * A sink out of an async generator: what it yields is a response each, with back-pressure, its return the end, a throw
 * the error (a `MessagingError` as it is, anything else as `REMOTE`). When the call is over, the generator is returned at
 * its next yield; `context.signal` tells it sooner. In a one-way call it runs to its end, and what it yields is dropped.
 */
export function sinkOf<Req = Uint8Array, Res = Uint8Array>(
  handler: (request: RequestMessage<Req>, context: HandlerContext<Res>) => AsyncIterable<ResponseMessage<Res>>,
): RequestSink<Req, Res> {
  return {
    signal(request, context) {
      void run(handler, request, context);
    },
    // The context's signal has aborted by then, which is all that a generator can be told.
    abort() {},
  };
}

async function run<Req, Res>(
  handler: (request: RequestMessage<Req>, context: HandlerContext<Res>) => AsyncIterable<ResponseMessage<Res>>,
  request: RequestMessage<Req>,
  context: RequestContext<Res>,
): Promise<void> {
  try {
    for await (const response of handler(request, context)) {
      // Where no responses are wanted, the work is: it goes on.
      const goesOn = (await context.respond(response)) || (context.window === 0 && !context.signal.aborted);
      if (!goesOn) break;
    }
    context.end();
  } catch (thrown) {
    context.fail(asMessagingError(thrown));
  }
}
