import { MessagingError } from "../../src/errors/messaging-error.js";
import type { Codec } from "../../src/ports/codec.js";
import type { MessageHeaders } from "../../src/ports/message.js";
import type { RequestContext, RequestMessage, RequestSink, ResponseMessage } from "../../src/ports/request-sink.js";
import { errorText } from "../../src/util/error-text.js";
import { machineClock } from "../../src/util/machine-clock.js";
import { decodeBody, encodeBody, rawBytes } from "./bodies.js";
import { MAX_TIMEOUT_MS } from "./call-request.js";
import { type ContextHearing, callName } from "./call-rules.js";
import type { CallTable } from "./call-table.js";
import { ClientCall, type ClientStream } from "./client-call.js";
import type { Request } from "./gen/fairlead/v1/Request.js";
import { type ClientSinkOptions, resolveMaxResponseBytes } from "./sink-client-options.js";

export interface ClientSinkParts<Req, Res> {
  readonly name: string;
  readonly calls: CallTable;
  readonly client: { Call(): ClientStream };
  readonly options: ClientSinkOptions<Req, Res>;
  readonly maxResponseBytes: number;
}

/** The client's end of a sink behind a gateway. */
export class ClientSink<Req, Res> implements RequestSink<Req, Res>, ContextHearing {
  readonly #name: string;
  readonly #calls: CallTable;
  readonly #client: { Call(): ClientStream };
  readonly #codec: Codec<Req>;
  readonly #responseCodecs: readonly Codec<Res>[];
  readonly #maxResponseBytes: number;

  constructor({ name, calls, client, options, maxResponseBytes }: ClientSinkParts<Req, Res>) {
    this.#name = name;
    this.#calls = calls;
    this.#client = client;
    // Without a codec both are raw bytes, which is what their types then are.
    this.#codec = options.codec ?? (rawBytes as unknown as Codec<Req>);
    const responseCodec = options.responseCodec ?? (this.#codec as unknown as Codec<Res>);
    this.#responseCodecs = [responseCodec].flat();
    this.#maxResponseBytes = resolveMaxResponseBytes(options, maxResponseBytes);
  }

  get hearsContexts(): true {
    return true;
  }

  signal(message: RequestMessage<Req>, context: RequestContext<Res>): void {
    if (context.signal.aborted) return;
    try {
      this.#start(message, context);
    } catch (error) {
      context.fail(
        MessagingError.is(error) ? error : new MessagingError("INTERNAL", errorText(error), { cause: error }),
      );
    }
  }

  abort(callId: string): void {
    this.#calls.abort(this.#name, callId, new MessagingError("ABORTED", "call: aborted by its caller"));
  }

  #start(message: RequestMessage<Req>, context: RequestContext<Res>): void {
    const { callId } = message;
    const name = callName(callId, context);
    this.#calls.check(this.#name, name, callId);
    const { bytes, contentType } = encodeBody(this.#codec, message.body, message.contentType);
    const own = new ClientCall<Res>(
      {
        clock: machineClock,
        context,
        stream: this.#client.Call(),
        what: `call ${this.#name}`,
        maxResponseBytes: this.#maxResponseBytes,
        decode: (body, type, headers) => this.#decode(body, type, headers),
        onIdleCredit: (call) => this.#calls.creditSoon(call),
        onOver: (call) => this.#calls.over(this.#name, name, call),
        onClosed: (call) => this.#calls.closed(call),
      },
      this.#toRequest(message, context, contentType),
      bytes,
    );
    this.#calls.add(this.#name, name, own);
  }

  #toRequest(message: RequestMessage<Req>, context: RequestContext<Res>, contentType: string): Request {
    const { callId, headers = {}, priority = "standard", idempotent = false, timestamp } = message;
    const { window, windowBytes, allowKeepAlive, deadline } = context;
    const leftMs = Math.ceil(deadline - machineClock.now());
    return {
      sink: this.#name,
      callId,
      contentType,
      headers,
      priority: `PRIORITY_${priority.toUpperCase() as Uppercase<typeof priority>}`,
      idempotent,
      timeoutMs: Math.min(Math.max(leftMs, 1), MAX_TIMEOUT_MS),
      allowKeepAlive,
      oneWay: window === 0,
      window,
      windowBytes: Math.min(windowBytes, Number.MAX_SAFE_INTEGER),
      timestampMs: Math.max(0, Math.trunc(timestamp)),
    };
  }

  #decode(bytes: Uint8Array, contentType: string, headers: MessageHeaders): ResponseMessage<Res> {
    return { body: decodeBody(this.#responseCodecs, { bytes, contentType }), headers, contentType };
  }
}
