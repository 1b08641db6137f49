import type { MessagingError } from "../errors/messaging-error.js";
import type { MessageHeaders } from "../ports/message.js";
import type { RequestContext, RequestSink, ResponseMessage } from "../ports/request-sink.js";

/** The headers by which the first response of a call says who answers it. */
export const SERVED_BY = { node: "served-by-node", pid: "served-by-pid" } as const;

/** The same sink, with these headers on the first response of each call. The sink's own headers win. */
export function signedSink(
  sink: RequestSink<unknown, unknown>,
  headers: MessageHeaders,
): RequestSink<unknown, unknown> {
  return {
    signal: (request, context) => sink.signal(request, new SigningContext(context, headers)),
    abort: (callId) => sink.abort(callId),
  };
}

class SigningContext implements RequestContext<unknown> {
  readonly onTaken?: (listener: (taken: number) => void) => void;
  readonly #context: RequestContext<unknown>;
  /** Until the first response. */
  #headers: MessageHeaders | undefined;

  constructor(context: RequestContext<unknown>, headers: MessageHeaders) {
    this.#context = context;
    this.#headers = headers;
    // Whether it is there means something.
    if (context.onTaken !== undefined) this.onTaken = (listener) => context.onTaken?.(listener);
  }

  get callId(): string {
    return this.#context.callId;
  }

  get deadline(): number {
    return this.#context.deadline;
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  get window(): number {
    return this.#context.window;
  }

  get windowBytes(): number {
    return this.#context.windowBytes;
  }

  get allowKeepAlive(): boolean {
    return this.#context.allowKeepAlive;
  }

  keepAlive(ms: number): boolean {
    return this.#context.keepAlive(ms);
  }

  respond(response: ResponseMessage<unknown>): Promise<boolean> {
    const own = this.#headers;
    if (own === undefined) return this.#context.respond(response);
    this.#headers = undefined;
    return this.#context.respond({ ...response, headers: { ...own, ...response.headers } });
  }

  end(): void {
    this.#context.end();
  }

  fail(error: MessagingError): void {
    this.#context.fail(error);
  }
}
