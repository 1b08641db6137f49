import type { WireDelivery } from "../../driver/driver.js";
import { MessagingError } from "../../errors/messaging-error.js";
import type { RequestContext, ResponseMessage } from "../../ports/request-sink.js";
import { errorText } from "../../util/error-text.js";
import { Ring } from "../../util/ring.js";
import { checkHeaders } from "../options.js";
import { OVER } from "./accepted.js";
import { asMessagingError } from "./as-messaging-error.js";
import { encodeBody } from "./body-codecs.js";
import { MAX_WINDOW } from "./call-options.js";
import { CallSignal, type WatchedContext } from "./call-signal.js";
import { Deadline } from "./deadline.js";
import { type AliveEntry, encodeError, FRAME, FRAME_HEADER, JSON_TYPE } from "./frames.js";
import type { IncomingRequest } from "./incoming-request.js";
import type { LaneConsumers } from "./lane-consumers.js";
import type { ReplySender } from "./reply-sender.js";
import { type OutgoingBody, ResponseFrames } from "./response-frames.js";
import { type GateOwner, ResponseGate } from "./response-gate.js";
import type { SharedTimers } from "./shared-timers.js";
import type { ResolvedServeOptions } from "./sink-options.js";

/** The place in the queue that a call holds: a delivery, and the consumer's life through which it came. */
export interface HeldDelivery {
  readonly wire: WireDelivery;
  readonly life: LaneConsumers;
}

/** What the calls of one server share. */
export interface ServerCallHost {
  readonly options: ResolvedServeOptions;
  readonly clock: SharedTimers;
  readonly replies: ReplySender;
  /** Calls that wait for room on the link put themselves here. */
  readonly waiting: Set<ServerCall>;
  /** Called once, when the call is over. `isForced`: not by its sink. */
  onOver(call: ServerCall, error: MessagingError | undefined, isForced: boolean): void;
}

/** The server's side of one call: the context that its sink answers to, and what becomes of that on the wire. */
export class ServerCall implements RequestContext<unknown>, WatchedContext, GateOwner<OutgoingBody> {
  readonly request: IncomingRequest;
  /** Of a request that was delivered again: credit for an earlier run is not for this one. */
  readonly run: string | undefined;
  readonly startedAt: number;
  /** Absent once it was settled; the call may run on without. */
  #held: HeldDelivery | undefined;
  readonly #host: ServerCallHost;
  readonly #signal = new CallSignal();
  readonly #deadline: Deadline;
  readonly #gate: ResponseGate<OutgoingBody>;
  readonly #frames: ResponseFrames;
  /** Sizes of what was sent and not taken. */
  readonly #untaken = new Ring<number>();
  #untakenBytes = 0;
  #consumed = 0;
  #grantedUpTo: number;
  #onTaken: ((taken: number) => void) | undefined;
  #closing: { readonly error: MessagingError | undefined } | undefined;
  #isOver = false;
  /** The deadline stands still. */
  #isHeld = false;
  /** The sink has been given the request. */
  isStarted = false;
  /** The sink knows that it is over. */
  isLeft = false;

  constructor(host: ServerCallHost, request: IncomingRequest, run: string | undefined) {
    const { options, clock, replies } = host;
    this.#host = host;
    this.request = request;
    this.run = run;
    this.startedAt = clock.now();
    this.#grantedUpTo = request.window;
    this.#frames = new ResponseFrames(request, options, replies, run);
    this.#deadline = new Deadline(clock, request.timeoutMs, this);
    this.#gate = new ResponseGate<OutgoingBody>(this);
  }

  get callId(): string {
    return this.request.callId;
  }

  get deadline(): number {
    return this.#deadline.endsAt;
  }

  get signal(): AbortSignal {
    return this.#signal.signal;
  }

  get window(): number {
    return this.request.window;
  }

  get windowBytes(): number {
    return this.request.windowBytes;
  }

  get allowKeepAlive(): boolean {
    return this.request.allowKeepAlive;
  }

  get isOver(): boolean {
    return this.#isOver || this.#closing !== undefined;
  }

  get origin(): string {
    return this.request.id;
  }

  get responses(): number {
    return this.#frames.sequence;
  }

  /** What an Alive frame says of it. */
  get aliveEntry(): AliveEntry {
    return {
      id: this.request.id,
      sequence: this.#frames.completed,
      isBlocked: this.#gate.isWaiting && !this.#hasCredit,
    };
  }

  get delivery(): HeldDelivery | undefined {
    return this.#held;
  }

  hold(held: HeldDelivery): void {
    this.#held = held;
    held.life.held[this.request.priority] += 1;
  }

  /** Lets go of its place in the queue, which is to be settled by whoever asked. */
  takeDelivery(): WireDelivery | undefined {
    const held = this.#held;
    if (held === undefined) return undefined;
    this.#held = undefined;
    held.life.held[this.request.priority] -= 1;
    return held.wire;
  }

  keepAlive(ms: number): boolean {
    if (this.#isDone) return false;
    if (!this.allowKeepAlive) return true;
    this.#deadline.extend(ms);
    this.#frames.keepAlive(ms, this.#host.clock.now());
    if (this.#frames.isHeldUp) this.#host.waiting.add(this);
    return true;
  }

  /** What was promised may have been lost with the link. */
  repeatKeepAlive(): void {
    if (!this.#isOver) this.#frames.repeatKeepAlive(this.#host.clock.now());
  }

  respond(response: ResponseMessage<unknown>): Promise<boolean> {
    if (this.#isDone || this.window === 0) return OVER;
    let body: OutgoingBody;
    try {
      body = this.#encode(response);
    } catch (cause) {
      this.fail(new MessagingError("REMOTE", `a response cannot be sent: ${errorText(cause)}`, { cause }));
      return OVER;
    }
    if (this.allowKeepAlive) this.#deadline.extend(this.#host.options.respondExtendsMs);
    return this.#gate.offer(body);
  }

  end(): void {
    this.#close({ error: undefined });
  }

  fail(error: MessagingError): void {
    this.#close({ error: asMessagingError(error) });
  }

  onOver(listener: (reason: unknown) => void): () => void {
    return this.#signal.listen(listener);
  }

  onTaken(listener: (taken: number) => void): void {
    this.#onTaken = listener;
  }

  /** A piece of the upload has come. */
  extendForPiece(): void {
    if (this.allowKeepAlive) this.#deadline.extend(this.#host.options.respondExtendsMs);
  }

  /** Absolute and cumulative, so that one that is lost, repeated or late does no harm. */
  onCredit(consumed: number, grantedUpTo: number): void {
    if (this.#isOver || consumed > this.#frames.sequence) return;
    if (consumed > this.#consumed) {
      for (; this.#consumed < consumed; this.#consumed += 1) this.#untakenBytes -= this.#untaken.shift() ?? 0;
      // Counted anew from each response taken.
      if (this.#isHeld) this.#deadline.hold(this.#host.options.stallMs);
    }
    this.#grantedUpTo = Math.max(this.#grantedUpTo, Math.min(grantedUpTo, this.#consumed + MAX_WINDOW));
    this.#onTaken?.(this.#consumed);
    this.pump();
  }

  /** There may be room or credit for more. */
  pump(): void {
    if (this.#isOver) return;
    this.#frames.pump(this.#host.clock.now());
    if (this.#frames.isHeldUp) this.#host.waiting.add(this);
    this.#gate.pump();
    this.#holdDeadline();
    this.#closeWhenSent();
  }

  /** Ends a call that was never started. */
  refuse(error: MessagingError): void {
    this.#sendError(error, true);
    this.#finish(error, false);
  }

  /** Ends the call from outside. `isTold`: its caller is to be told; otherwise it knows, or is gone. */
  stop(error: MessagingError, isTold: boolean): void {
    if (this.#isOver) return;
    if (isTold) this.#sendError(error);
    this.#finish(error, true);
  }

  get #isDone(): boolean {
    if (this.#isOver) this.isLeft = true;
    return this.#isOver || this.#closing !== undefined;
  }

  get #hasRoom(): boolean {
    if (!this.#host.replies.frames.hasRoom) {
      this.#host.waiting.add(this);
      return false;
    }
    return !this.#frames.isSending;
  }

  get #hasCredit(): boolean {
    if (this.request.version === "V4") return true;
    const { sequence } = this.#frames;
    if (sequence >= this.#grantedUpTo) return false;
    return sequence === this.#consumed || this.#untakenBytes < this.windowBytes;
  }

  #encode({ body, headers, contentType }: ResponseMessage<unknown>): OutgoingBody {
    if (headers !== undefined) checkHeaders(headers);
    return { ...encodeBody(this.#host.options.responseCodec, body, contentType), headers };
  }

  onDeadline(): void {
    this.stop(new MessagingError("TIMEOUT", `${this.request.callId}: not ended within its time`), true);
  }

  /** For the gate. */
  get maxWaiting(): number {
    return Math.max(1, this.window);
  }

  hasCredit(): boolean {
    return this.#hasRoom && this.#hasCredit;
  }

  pass(body: OutgoingBody): void {
    this.#frames.send(body);
    if (this.#frames.isHeldUp) this.#host.waiting.add(this);
    if (this.request.version === "V4") {
      // Nobody will ever say what was taken: what is sent counts as such, for a sink that passes responses on.
      this.#onTaken?.(this.#frames.sequence);
      return;
    }
    this.#untaken.push(body.bytes.byteLength);
    this.#untakenBytes += body.bytes.byteLength;
  }

  onOverflow(error: MessagingError): void {
    this.fail(error);
  }

  onWaiting(): void {
    this.#holdDeadline();
  }

  /** It stands still while the caller has no credit for us; not for want of a link. */
  #holdDeadline(): void {
    const isBlocked = this.#gate.isWaiting && !this.#hasCredit;
    if (isBlocked === this.#isHeld) return;
    this.#isHeld = isBlocked;
    if (isBlocked) this.#deadline.hold(this.#host.options.stallMs);
    else this.#deadline.release();
  }

  #close(closing: { readonly error: MessagingError | undefined }): void {
    this.isLeft = true;
    if (this.#isDone) return;
    this.#closing = closing;
    this.#closeWhenSent();
  }

  #closeWhenSent(): void {
    if (this.#closing === undefined || this.#isOver || this.#gate.held > 0 || this.#frames.isSending) return;
    const { error } = this.#closing;
    if (error === undefined) this.#frames.end();
    else this.#sendError(error);
    this.#finish(error, false);
  }

  #sendError(error: MessagingError, isRefusal = false): void {
    const { request } = this;
    const { options, replies } = this.#host;
    if (request.replyTo === undefined) return;
    replies.sendLast(request.replyTo, {
      type: FRAME.error,
      correlationId: request.id,
      headers: isRefusal
        ? { [FRAME_HEADER.version]: request.version, [FRAME_HEADER.refused]: "true" }
        : { [FRAME_HEADER.version]: request.version },
      contentType: JSON_TYPE,
      body: encodeError(error, options.errorStacks),
    });
  }

  #finish(error: MessagingError | undefined, isForced: boolean): void {
    this.#isOver = true;
    this.#deadline.cancel();
    this.#gate.close();
    this.#untaken.clear();
    if (isForced) this.#signal.abort(error);
    else this.#signal.over(undefined);
    this.#host.onOver(this, error, isForced);
  }
}
