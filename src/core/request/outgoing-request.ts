import type { Address, WireMessage } from "../../driver/driver.js";
import { RESERVED_PREFIX } from "../../driver/reserved-headers.js";
import { MessagingError } from "../../errors/messaging-error.js";
import type { MessageHeaders, Priority } from "../../ports/message.js";
import type { RequestContext, RequestMessage, ResponseMessage } from "../../ports/request-sink.js";
import type { PublishBounds } from "../pending-publish.js";
import { NO_HEADERS, withoutReserved } from "../wire-message.js";
import { decodeBody, type EncodedBody, encodeBody } from "./body-codecs.js";
import { callName } from "./call-name.js";
import { MAX_WINDOW } from "./call-options.js";
import { isWatched } from "./call-signal.js";
import { FRAME, FRAME_HEADER, toFrame } from "./frames.js";
import { requestQueue } from "./request-queue.js";
import type { ResolvedSinkOptions } from "./sink-options.js";

export interface OutgoingRequestParts {
  readonly id: string;
  readonly sink: string;
  readonly message: RequestMessage<unknown>;
  readonly context: RequestContext<never>;
  readonly options: ResolvedSinkOptions;
}

/** A request, encoded and checked, with all that its call needs to know of it. */
export class OutgoingRequest {
  readonly id: string;
  readonly sink: string;
  readonly callId: string;
  readonly context: RequestContext<never>;
  /** Empty once it was sent and is not to be uploaded. */
  body: Uint8Array;
  readonly isIdempotent: boolean;
  /** As the server will take them, whatever the context says. 0: one-way. */
  readonly window: number;
  readonly windowBytes: number;
  /** Among the live calls of its client and sink. */
  readonly name: string;
  readonly #options: ResolvedSinkOptions;
  readonly #lane: Priority;
  readonly #contentType: string;
  readonly #headers: MessageHeaders;
  readonly #timestamp: number;
  readonly #isUpload: boolean;

  /** Throws `INVALID_ARGUMENT` for a body that cannot be encoded. */
  constructor({ id, sink, message, context, options }: OutgoingRequestParts) {
    const { bytes, contentType } = encodeBody(options.codec, message.body, message.contentType);
    if (!(context.window >= 1) && bytes.byteLength > options.maxMessageBytes) {
      const text = `the body has ${bytes.byteLength} bytes; one-way, at most ${options.maxMessageBytes} can be sent`;
      throw new MessagingError("TOO_LARGE", text);
    }
    this.id = id;
    this.sink = sink;
    this.callId = message.callId;
    this.window = wholeWithin(context.window, 0, MAX_WINDOW);
    this.windowBytes = wholeWithin(context.windowBytes, 1, Number.MAX_SAFE_INTEGER);
    this.name = callName(message.callId, context);
    this.context = context;
    this.body = bytes;
    this.#lane = message.priority ?? "standard";
    this.isIdempotent = message.idempotent ?? false;
    this.#options = options;
    this.#contentType = contentType;
    this.#isUpload = bytes.byteLength > options.fragmentBytes && this.window > 0;
    this.#headers = message.headers === undefined ? NO_HEADERS : withoutReserved(message.headers);
    this.#timestamp = message.timestamp;
  }

  /** Made when asked for: once or twice in a call. */
  get address(): Address {
    return { kind: "queue", queue: requestQueue(this.sink), lane: this.#lane };
  }

  /**
   * It is never sent again from there. Contexts of our own end a call at its deadline, and its publish with it; the bound is for
   * one that was answered and never confirmed, and rounded, since all of one bound share a timer.
   */
  publishBounds(timeoutMs: number): PublishBounds {
    const boundMs = isWatched(this.context) ? 2 ** Math.ceil(Math.log2(timeoutMs)) : timeoutMs;
    return { what: `request ${this.sink}`, timeoutMs: boundMs, signal: undefined, resend: false };
  }

  /** Nobody waits for responses. */
  get isOneWay(): boolean {
    return this.window === 0;
  }

  /** One-way there is no inbox to be asked for the pieces in. */
  get isUpload(): boolean {
    return this.#isUpload;
  }

  get fragmentBytes(): number {
    return this.#options.fragmentBytes;
  }

  get maxResponseBytes(): number {
    return this.#options.maxResponseBytes;
  }

  /** It is in the queue, and will not be sent from here again. */
  releaseBody(): void {
    if (!this.#isUpload) this.body = NO_BODY;
  }

  toFrame(clientId: string, inbox: string | undefined, timeoutMs: number): WireMessage {
    const { protocolVersion, canExpire } = this.#options;
    const { window, windowBytes } = this;
    const { allowKeepAlive } = this.context;
    const headers: Record<string, string> = {
      ...this.#headers,
      [FRAME_HEADER.client]: clientId,
      [FRAME_HEADER.callId]: this.callId,
      [FRAME_HEADER.version]: protocolVersion === "auto" ? "V4" : protocolVersion,
      [FRAME_HEADER.timeoutMs]: String(Math.min(Math.ceil(timeoutMs), Number.MAX_SAFE_INTEGER)),
      [FRAME_HEADER.timestamp]: String(Math.trunc(this.#timestamp)),
      [FRAME_HEADER.window]: String(window),
      [FRAME_HEADER.windowBytes]: String(windowBytes),
    };
    if (protocolVersion === "auto") headers[FRAME_HEADER.maxVersion] = "V5";
    if (protocolVersion !== "V4" && window > 0) headers[FRAME_HEADER.jointEnd] = "true";
    if (!allowKeepAlive) headers[FRAME_HEADER.allowKeepAlive] = "false";
    if (this.isIdempotent) headers[FRAME_HEADER.idempotent] = "true";
    if (this.isUpload) headers[FRAME_HEADER.totalBytes] = String(this.body.byteLength);
    return toFrame({
      type: this.isUpload ? FRAME.channelRequest : FRAME.signal,
      correlationId: this.id,
      headers,
      replyTo: inbox,
      contentType: this.#contentType,
      body: this.isUpload ? undefined : this.body,
      timestamp: this.#timestamp,
      expiresInMs: canExpire ? timeoutMs : undefined,
    });
  }

  /** Throws `MALFORMED`. */
  toResponse(body: EncodedBody, headers: MessageHeaders): ResponseMessage<unknown> {
    const decoded = decodeBody(this.#options.responseCodecs, body);
    return { body: decoded, headers: withoutReserved(headers), contentType: body.contentType };
  }
}

const NO_BODY = new Uint8Array(0);

function wholeWithin(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.trunc(value) || least));
}

const PRIORITIES: ReadonlySet<unknown> = new Set([undefined, "bulk", "standard", "expedite"]);

/** Throws `INVALID_ARGUMENT` for a callId, priority or header that cannot travel. */
export function checkRequest({ callId, headers, priority }: RequestMessage<unknown>): void {
  if (!PRIORITIES.has(priority)) {
    throw new MessagingError("INVALID_ARGUMENT", "priority must be bulk, standard or expedite");
  }
  if (typeof callId !== "string" || callId === "" || Buffer.byteLength(callId) > 255) {
    throw new MessagingError("INVALID_ARGUMENT", "callId must be a non-empty string of at most 255 bytes of UTF-8");
  }
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (typeof value === "string" && !name.startsWith(RESERVED_PREFIX)) continue;
    throw new MessagingError(
      "INVALID_ARGUMENT",
      `header ${name}: it must be text, and not start with ${RESERVED_PREFIX}`,
    );
  }
}
