import type { MessagingError } from "../errors/messaging-error.js";
import type { Codec } from "./codec.js";
import type { Closeable } from "./lifecycle.js";
import type { MessageHeaders, Priority } from "./message.js";
import type { ConsumerState } from "./queue.js";

/** One call's request, as a sink receives it. */
export interface RequestMessage<T> {
  /** Names the call to applications. On the wire a call has a name of its own, so that using one again mixes nothing. */
  readonly callId: string;
  readonly body: T;
  readonly headers?: MessageHeaders | undefined;
  /**
   * The MIME type of a body of raw bytes: what the caller's codec wrote, and what a sink that passes the request on hands
   * on. Default, and with any other codec: the codec's.
   */
  readonly contentType?: string | undefined;
  /** The lane of the request queue. Default `"standard"`. */
  readonly priority?: Priority | undefined;
  /** True: running it twice does no harm, so it moves on when its server is lost before the first response. */
  readonly idempotent?: boolean | undefined;
  /** Milliseconds since the epoch, by the caller's clock. */
  readonly timestamp: number;
}

export interface ResponseMessage<T> {
  readonly body: T;
  readonly headers?: MessageHeaders | undefined;
  /** As in the request. */
  readonly contentType?: string | undefined;
}

/**
 * The caller's end of one call, as the sink sees it. Ends in exactly one of `end`, `fail` and an aborted `signal`; what
 * comes after that does nothing. A sink must end every call, also one whose responses nobody wants: until then, or its
 * deadline, it counts as running.
 */
export interface RequestContext<Res = Uint8Array> {
  readonly callId: string;
  /**
   * Milliseconds since the epoch, by this machine's clock: when the call ends with `TIMEOUT`. Moves, never to an earlier
   * time: with `keepAlive`, with each response, and while responses wait for their reader.
   */
  readonly deadline: number;
  /** Aborts when the caller has aborted, has timed out or is gone; its reason is a `MessagingError`. */
  readonly signal: AbortSignal;
  /** How many responses may be sent that the caller has not taken yet. 0: none is wanted, `respond` is false at once. */
  readonly window: number;
  /** How many bytes they may hold; one response is always allowed. */
  readonly windowBytes: number;
  /** False: nothing moves the deadline, but that it stands still while responses wait for their reader. */
  readonly allowKeepAlive: boolean;
  /** Moves the deadline to `ms` milliseconds from now, if that is later. False: the call is over, stop working. */
  keepAlive(ms: number): boolean;
  /**
   * Hands over the next response. Resolves true when there is credit for another; false when the call is over and this
   * one was discarded. The wait is bounded by the deadline and by `stallMs`. Called again before the last one resolved,
   * it waits behind it: at most a window's worth, then it rejects with `REJECTED`, and the call fails with that. A response
   * that cannot be encoded ends the call with an error to the caller, and resolves false. What was handed over belongs to
   * the call from then on, also when this has resolved: bytes and headers are not copied, and are sent again from where they
   * are if they were lost, so do not write to them any more. Another body needs another buffer.
   */
  respond(response: ResponseMessage<Res>): Promise<boolean>;
  /** No more responses. What was handed over is delivered first. */
  end(): void;
  /** As `end`, with an error for the caller. What was handed over is delivered first. */
  fail(error: MessagingError): void;
  /**
   * For a sink that passes responses on: tells how many the caller's application has taken in all, each time it has
   * taken more, and again when it waits for several at once. One listener. A context without it: a response counts as
   * taken when its `respond` resolves.
   */
  onTaken?(listener: (taken: number) => void): void;
}

/** Something that a request can be sent to: a service, or the client's end of any transport. */
export interface RequestSink<Req = Uint8Array, Res = Uint8Array> {
  /** Starts a call and returns at once. Never throws; all that happens is told to the context. */
  signal(request: RequestMessage<Req>, context: RequestContext<Res>): void;
  /** Asks that a call be given up: best effort, as often as one likes, and an id that is not known does nothing. */
  abort(callId: string): void;
}

export interface CallOptions {
  /** Required: when the call ends with `TIMEOUT`, in milliseconds from now, if nothing moves the deadline: > 0. */
  readonly timeoutMs: number;
  /** Whether the deadline may be moved: by the sink, and by each response. Default true. */
  readonly allowKeepAlive?: boolean | undefined;
  /** How far each response moves the deadline, in milliseconds from then. Default 10,000. */
  readonly respondExtendsMs?: number | undefined;
  /** How many responses may wait here for their reader, 1 to 2,048. Default 512. */
  readonly window?: number | undefined;
  /** How many bytes they may hold; one response is always allowed. Default 8,388,608 (8 MiB). */
  readonly windowBytes?: number | undefined;
  /** How long unread responses hold up the deadline, counted anew from each one taken. Default 300,000 (5 min). */
  readonly stallMs?: number | undefined;
  /** Default `"standard"`. */
  readonly priority?: Priority | undefined;
  /** Default false. */
  readonly idempotent?: boolean | undefined;
  /** Aborts the call: it then fails with `ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

/** What a caller hands over. */
export interface CallRequest<T> {
  readonly body: T;
  readonly headers?: MessageHeaders | undefined;
  readonly contentType?: string | undefined;
  /** Default: a new UUID. A second live call with the same id on one sink is refused with `ALREADY_EXISTS`. */
  readonly callId?: string | undefined;
}

/**
 * The responses to one call, in order, read once. What came before an error is read first, then the error is thrown.
 * Leaving the loop early aborts the call.
 */
export interface ResponseStream<T> extends AsyncIterable<ResponseMessage<T>>, AsyncDisposable {
  readonly callId: string;
  /**
   * Settles once, when the call is over, whether its responses have been read or not: resolves after a clean end, rejects
   * with the call's error. Need not be awaited.
   */
  readonly ended: Promise<void>;
  /** Gives the call up and drops what is unread: reading on throws `ABORTED`. When all has been read it does nothing. */
  abort(): void;
  /**
   * Up to `max` responses: as soon as there are so many, there is no room for more of them, the stream ends, or `waitMs`
   * have passed. None: the stream has ended, or nothing came in time. `max` is at most the window. Throws the call's error
   * when nothing is left before it.
   */
  batch(options: { readonly max: number; readonly waitMs: number }): Promise<ResponseMessage<T>[]>;
}

/** V4: streams without flow control. V5: with it. `"auto"`: what the server that answers speaks. */
export type ProtocolVersion = "V4" | "V5";

export interface RequestSinkOptions<Req, Res> {
  /** For requests. Default: raw bytes. */
  readonly codec?: Codec<Req> | undefined;
  /** For responses, chosen by their content type. Default: the codec of requests. */
  readonly responseCodec?: Codec<Res> | readonly Codec<Res>[] | undefined;
  /** Default `"auto"`. */
  readonly protocolVersion?: ProtocolVersion | "auto" | undefined;
  /** A request with a larger body is uploaded in pieces of this size. Default 100,000. */
  readonly fragmentBytes?: number | undefined;
  /** A larger response fails its call with `TOO_LARGE`. Default 67,108,864 (64 MiB). */
  readonly maxResponseBytes?: number | undefined;
}

export interface ServeOptions<Req, Res> {
  /** For requests, chosen by their content type. Default: raw bytes. */
  readonly codec?: Codec<Req> | readonly Codec<Req>[] | undefined;
  /** For responses. Default: the (first) codec of requests. */
  readonly responseCodec?: Codec<Res> | undefined;
  /** Calls that run at once, by priority. Defaults: expedite 2, standard 5, bulk 5. */
  readonly concurrency?: Readonly<Partial<Record<Priority, number>>> | undefined;
  /** The newest version that is spoken. Default `"V5"`. */
  readonly protocolVersion?: ProtocolVersion | undefined;
  /** How often callers are told that their calls live, in milliseconds. Default 1,000. */
  readonly keepAliveMs?: number | undefined;
  /** How far each response moves the deadline, in milliseconds from then. Default 10,000. */
  readonly respondExtendsMs?: number | undefined;
  /** How long a response may wait for credit before the deadline runs on, in milliseconds. Default 300,000 (5 min). */
  readonly stallMs?: number | undefined;
  /** A larger response is sent in pieces of this size. Default 100,000. */
  readonly fragmentBytes?: number | undefined;
  /** A larger request is refused with `TOO_LARGE`. Default 67,108,864 (64 MiB). */
  readonly maxRequestBytes?: number | undefined;
  /** Requests that may be in the middle of their upload at once; more are refused with `REJECTED`. Default 16. */
  readonly maxUploads?: number | undefined;
  /**
   * How long a call waits for its caller when the caller's inbox is gone, and how long its end is kept for a caller that
   * may have missed it, in milliseconds. 0: a call ends with its caller's inbox, and nothing is sent twice. Default 10,000.
   */
  readonly resumeMs?: number | undefined;
  /**
   * How many bytes of responses are kept, over all calls, until their callers have taken them; 0 keeps none. Beyond it,
   * what is kept for the call with the most is dropped: if its caller has missed some of that, the call fails with
   * `DATA_LOSS`. Default 268,435,456 (256 MiB).
   */
  readonly maxRetainedBytes?: number | undefined;
  /** After this time a call that still runs lets go of its place in the queue. Default 600,000 (10 min). */
  readonly settleAfterMs?: number | undefined;
  /** Whether callers see the stack of an error. Default false. */
  readonly errorStacks?: boolean | undefined;
  /** Aborts the set-up; once serving, closes. */
  readonly signal?: AbortSignal | undefined;
}

/** A sink that is being served. Comes back by itself after every loss; closing drains it. */
export interface RequestServer extends Closeable {
  /** Calls that run now. */
  readonly inFlight: number;
  readonly state: ConsumerState;
}
