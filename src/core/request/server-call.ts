import { MessagingError } from "../../errors/messaging-error.js";
import type { RequestContext, ResponseMessage } from "../../ports/request-sink.js";
import { errorText } from "../../util/error-text.js";
import { checkHeaders } from "../options.js";
import { OVER } from "./accepted.js";
import { asMessagingError } from "./as-messaging-error.js";
import { encodeBody } from "./body-codecs.js";
import { type CallerListener, CallSignal, type WatchedContext } from "./call-signal.js";
import type { CutCall } from "./cut-calls.js";
import { Deadline } from "./deadline.js";
import { lostError, type Waiting } from "./ended-call.js";
import type { AliveEntry } from "./frames.js";
import { HeldPlace } from "./held-place.js";
import type { IncomingRequest } from "./incoming-request.js";
import { ResponseFrames } from "./response-frames.js";
import { type GateOwner, ResponseGate } from "./response-gate.js";
import type { ResumeOf } from "./resume-frame.js";
import type { OutgoingBody } from "./sent-responses.js";
import type { ServerCallHost } from "./server-call-host.js";

type Roles = RequestContext<unknown> & WatchedContext & GateOwner<OutgoingBody> & Waiting & CutCall;

/** The server's side of one call: the context that its sink answers to, and what becomes of that on the wire. */
export class ServerCall implements Roles {
  readonly request: IncomingRequest;
  readonly startedAt: number;
  readonly place: HeldPlace;
  readonly #host: ServerCallHost<ServerCall>;
  readonly #signal = new CallSignal();
  readonly #deadline: Deadline;
  readonly #gate: ResponseGate<OutgoingBody>;
  readonly frames: ResponseFrames;
  #onTaken: ((taken: number) => void) | undefined;
  #closing: { readonly error: MessagingError | undefined } | undefined;
  #isOver = false;
  /** The sink has been given the request. */
  isStarted = false;
  /** The sink knows that it is over. */
  isLeft = false;

  constructor(host: ServerCallHost<ServerCall>, request: IncomingRequest, run: string | undefined) {
    const { clock } = host;
    this.#host = host;
    this.request = request;
    this.place = new HeldPlace(request.priority);
    this.startedAt = clock.now();
    this.frames = new ResponseFrames(host, request, run);
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

  /** What the Alive frame with this id says of it. */
  aliveEntry(alive: string): AliveEntry {
    return this.frames.aliveEntry(alive, this.#gate.isWaiting && !this.#hasCredit);
  }

  /** Its body has not come whole. */
  get isUploading(): boolean {
    return this.request.totalBytes !== undefined && !this.isStarted;
  }

  keepAlive(ms: number): boolean {
    if (this.#isDone) return false;
    if (!this.allowKeepAlive) return true;
    this.#deadline.extend(ms);
    this.frames.keepAlive(ms, this.#host.clock.now());
    if (this.frames.isHeldUp) this.#host.waiting.add(this);
    return true;
  }

  /** There is a new link: what was sent on the last one may be lost. */
  repeat(): void {
    if (this.#isOver) return;
    this.frames.repeat(this.#host.clock.now());
    this.pump();
  }

  /** Its caller has another inbox, or has missed something. */
  resume(resume: ResumeOf): void {
    if (this.#isOver) return;
    this.frames.resume(resume, this.#host.clock.now());
    // An earlier one that comes late changes nothing.
    if (!this.frames.isCut) this.#host.cut.delete(this);
    if (this.isUploading) {
      this.fail(new MessagingError("UNAVAILABLE", "the caller's inbox was lost in the middle of the upload"));
      return;
    }
    if (resume.run === this.frames.run) this.onCredit(resume.consumed, resume.grantedUpTo);
    this.pump();
  }

  /** What was sent has found no inbox. `isNeverReached`: so has all before it, and nobody will ask for it again. */
  onReturned(isNeverReached: boolean): void {
    if (this.#isOver) return;
    if (isNeverReached) this.onGivenUp();
    else this.#host.cut.add(this);
  }

  onGivenUp(): void {
    this.stop(new MessagingError("UNAVAILABLE", "the caller is gone"), false);
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

  watch(listener: CallerListener): void {
    this.#signal.watch(listener);
  }

  unwatch(listener: CallerListener): void {
    this.#signal.unwatch(listener);
  }

  onTaken(listener: (taken: number) => void): void {
    this.#onTaken = listener;
  }

  /** A piece of the upload has come. */
  extendForPiece(): void {
    if (this.allowKeepAlive) this.#deadline.extend(this.#host.options.respondExtendsMs);
  }

  onCredit(consumed: number, grantedUpTo: number): void {
    if (this.#isOver || consumed > this.frames.whole) return;
    const isNews = this.frames.grant(consumed, grantedUpTo);
    // Counted anew from each response taken.
    if (isNews && this.#deadline.isHeld) this.#deadline.hold(this.#host.options.stallMs);
    this.#onTaken?.(this.frames.sent.consumed);
    this.pump();
  }

  /** There may be room or credit for more. */
  pump(): void {
    if (this.#isOver) return;
    this.frames.pump(this.#host.clock.now());
    if (this.frames.isBroken) {
      this.stop(lostError(), true);
      return;
    }
    if (this.frames.isHeldUp) this.#host.waiting.add(this);
    this.#gate.pump();
    this.#holdDeadline();
    this.#closeWhenSent();
  }

  /** Its response has waited long enough for the end of the call. */
  letGo(): void {
    if (this.#isOver || !this.frames.isHeldBack) return;
    this.frames.pump(this.#host.clock.now());
    if (this.frames.isHeldUp) this.#host.waiting.add(this);
  }

  /** Ends a call that was never started. */
  refuse(error: MessagingError): void {
    this.frames.finish(error, true, true);
    this.#finish(error, false, false);
  }

  /** Ends the call from outside. `isTold`: its caller is to be told; otherwise it knows, or is gone. */
  stop(error: MessagingError, isTold: boolean): void {
    if (this.#isOver) return;
    if (isTold) this.frames.finish(error, true);
    this.#finish(error, true, isTold);
  }

  get #isDone(): boolean {
    if (this.#isOver) this.isLeft = true;
    return this.#isOver || this.#closing !== undefined;
  }

  get #hasRoom(): boolean {
    if (this.frames.isSending) return false;
    if (this.#host.replies.frames.hasRoom) return true;
    this.#host.waiting.add(this);
    return false;
  }

  get #hasCredit(): boolean {
    return this.request.version === "V4" || this.frames.sent.allows(this.frames.sequence);
  }

  #encode({ body, headers, contentType }: ResponseMessage<unknown>): OutgoingBody {
    if (headers !== undefined) checkHeaders(headers);
    const encoded = encodeBody(this.#host.options.responseCodec, body, contentType);
    return { bytes: encoded.bytes, contentType: encoded.contentType, headers };
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
    this.frames.send(body);
    if (this.frames.isHeldBack) this.#host.heldBack.add(this);
    if (this.frames.isHeldUp) this.#host.waiting.add(this);
    // In V4 nobody will ever say what was taken: what is sent counts as such, for a sink that passes responses on.
    if (this.request.version === "V4") this.#onTaken?.(this.frames.sequence);
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
    if (isBlocked === this.#deadline.isHeld) return;
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
    if (this.#closing === undefined || this.#isOver || this.#gate.held > 0) return;
    const { frames } = this;
    const { error } = this.#closing;
    if (frames.isHeldBack && (error !== undefined || !frames.canJoinEnd)) this.letGo();
    // What was sent whole before is sent again from what is kept, whether the call is over or not.
    const isUnsent = frames.whole < frames.sequence && !frames.isHeldBack;
    if (this.#isOver || isUnsent || frames.isOnHold) return;
    frames.finish(error, false);
    this.#finish(error, false, true);
  }

  /** `isTold`: its caller was told, and may have missed it. */
  #finish(error: MessagingError | undefined, isForced: boolean, isTold: boolean): void {
    this.#isOver = true;
    const { retention, cut } = this.#host;
    cut.delete(this);
    this.#deadline.cancel();
    this.#gate.close();
    if (isTold && this.frames.isResumable) retention.keep(this.frames);
    else this.frames.sent.clear();
    if (isForced) this.#signal.abort(error);
    else this.#signal.over(undefined);
    this.#host.onOver(this, error, isForced);
  }
}
