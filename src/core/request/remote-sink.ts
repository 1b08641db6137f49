import { MessagingError } from "../../errors/messaging-error.js";
import type { RequestContext, RequestMessage, RequestSink } from "../../ports/request-sink.js";
import type { CoreContext } from "../core-context.js";
import { isOver } from "./call-signal.js";
import type { ClientCalls } from "./client-calls.js";
import { checkRequest, OutgoingRequest } from "./outgoing-request.js";
import { RemoteCall } from "./remote-call.js";
import type { ContextHearing } from "./signal-sink.js";
import type { ResolvedSinkOptions } from "./sink-options.js";

/** The client's end of a service behind the broker. */
export class RemoteSink<Req, Res> implements RequestSink<Req, Res>, ContextHearing {
  readonly #context: CoreContext;
  readonly #calls: ClientCalls;
  readonly #name: string;
  readonly #options: ResolvedSinkOptions;

  constructor(context: CoreContext, calls: ClientCalls, name: string, options: ResolvedSinkOptions) {
    this.#context = context;
    this.#calls = calls;
    this.#name = name;
    this.#options = options;
  }

  get hearsContexts(): true {
    return true;
  }

  signal(message: RequestMessage<Req>, context: RequestContext<Res>): void {
    if (isOver(context)) return;
    try {
      checkRequest(message);
      const request = new OutgoingRequest({
        id: this.#context.random.uuid(),
        sink: this.#name,
        message,
        context: context as RequestContext<never>,
        options: this.#options,
      });
      const call = new RemoteCall(this.#context, this.#calls, request);
      const refusal = this.#calls.add(call);
      if (refusal !== undefined) call.refuse(refusal);
    } catch (error) {
      context.fail(MessagingError.is(error) ? error : new MessagingError("INTERNAL", "signal", { cause: error }));
    }
  }

  abort(callId: string): void {
    this.#calls.abort(this.#name, callId);
  }
}
