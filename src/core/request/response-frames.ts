import type { MessagingError } from "../../errors/messaging-error.js";
import type { MessageHeaders } from "../../ports/message.js";
import { CallHeaders } from "./call-headers.js";
import { fragmentAt, fragmentCount } from "./fragments.js";
import { type AliveEntry, FRAME, FRAME_HEADER } from "./frames.js";
import type { IncomingRequest, KeptRequest } from "./incoming-request.js";
import type { ReplyParts, ReplySender } from "./reply-sender.js";
import { endFrame, errorFrame, lastPieceHeaders, pieceHeaders, responseHeaders } from "./response-headers.js";
import type { ResumeOf } from "./resume-frame.js";
import { type OutgoingBody, type ResponseBudget, SentResponses } from "./sent-responses.js";
import type { ResolvedServeOptions } from "./sink-options.js";

/** Longer is no different. */
const MAX_EXTEND_MS = 2 ** 50;

export interface ResponseFramesHost {
  readonly options: ResolvedServeOptions;
  readonly replies: ReplySender;
  readonly retention: ResponseBudget;
}

/** The last words of a call. */
interface Final {
  /** Undefined: a clean end. */
  readonly error: MessagingError | undefined;
}

/**
 * What one call says to its caller, as frames: responses, numbered, large ones in pieces as there is room, and the end.
 * What may not have arrived is sent again, to the same inbox or to another: this outlives its call by that.
 */
export class ResponseFrames {
  readonly request: KeptRequest;
  readonly sent: SentResponses;
  readonly #host: ResponseFramesHost;
  readonly run: string | undefined;
  /** Of the last response that was begun. */
  sequence = 0;
  #whole = 0;
  /** The response that is sent next, and its piece. */
  #next = 1;
  #piece = 0;
  #final: Final | undefined;
  #isFinalSent = false;
  /** The end may be told by the response before it. */
  readonly #hasJointEnd: boolean;
  /** The only response so far waits for the end of this turn: if the call ends meanwhile, both are one frame. */
  #isHeldBack = false;
  /** The deadline that the caller was promised last, and whether it has been told. */
  #promised = 0;
  #isTold = true;
  /** A Resume is to be answered, ahead of all else. */
  #isAsked = false;
  /** Where the caller is to be answered. */
  #inbox: string | undefined;
  readonly #headers: CallHeaders;
  /** There is no such inbox any more. */
  #isCut = false;
  /** Nothing is sent: the link may be lost, and has not said so. */
  isOnHold = false;

  /** `run`: tells this run of the request from an earlier one here; undefined for the first. */
  constructor(host: ResponseFramesHost, request: IncomingRequest, run: string | undefined) {
    this.#host = host;
    const { id, clientId, version } = request;
    this.request = { id, clientId, version };
    this.run = run;
    this.#inbox = request.replyTo;
    this.#headers = new CallHeaders(request, run, host.options.keepAliveMs);
    this.#hasJointEnd = request.hasJointEnd;
    const budget = this.isResumable && host.options.maxRetainedBytes > 0 ? host.retention : undefined;
    this.sent = new SentResponses(request.window, request.windowBytes, budget);
  }

  /** Where the caller is answered. */
  get inbox(): string | undefined {
    return this.#inbox;
  }

  /** The caller can ask again for what it has missed. */
  get isResumable(): boolean {
    return this.request.version === "V5" && this.#inbox !== undefined && this.#host.options.resumeMs > 0;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** The highest sequence that was sent to its end, to this inbox or an earlier one. */
  get whole(): number {
    return this.#whole;
  }

  /** There are responses to be sent before another. */
  get isSending(): boolean {
    return this.#isCut || this.isOnHold || this.#isAsked || this.#isBehind;
  }

  /** There is more to send than there is room for. */
  get isHeldUp(): boolean {
    const isEndUnsent = this.#final !== undefined && !this.#isFinalSent;
    return !this.#isCut && (this.#isBehind || !this.#isTold || isEndUnsent);
  }

  /** What is to be sent again is not kept any more. */
  get isBroken(): boolean {
    return !this.#isCut && this.#next <= this.#whole && this.sent.at(this.#next) === undefined;
  }

  /** The caller was asked to upload. */
  askedForUpload(): void {
    this.#headers.askedForUpload();
  }

  /** What an Alive says of it. */
  aliveEntry(alive: string, isBlocked: boolean): AliveEntry {
    this.#headers.namedBy(alive);
    return { id: this.request.id, sequence: this.#next - 1, isBlocked, isOver: this.#isFinalSent };
  }

  /** Credit from the caller. Returns whether something was taken that was not known of. */
  grant(consumed: number, grantedUpTo: number): boolean {
    const isNews = this.sent.grant(consumed, grantedUpTo);
    // What was taken need not be sent again.
    if (this.#next <= consumed) {
      this.#next = consumed + 1;
      this.#piece = 0;
    }
    return isNews;
  }

  send(body: OutgoingBody): void {
    this.sequence += 1;
    this.sent.push(body);
    const isSmall = body.bytes.byteLength <= this.#host.options.fragmentBytes;
    this.#isHeldBack = this.#hasJointEnd && this.sequence === 1 && isSmall;
    if (!this.#isHeldBack) this.#pumpResponses();
  }

  /** A response waits for what is done with the call in this turn. */
  get isHeldBack(): boolean {
    return this.#isHeldBack;
  }

  /** The end can be told by the response that is held back. */
  get canJoinEnd(): boolean {
    return this.#isHeldBack && !this.isSending && this.#hasRoom;
  }

  /** Sends what waits while there is room. */
  pump(now: number): void {
    this.#isHeldBack = false;
    if (this.#isCut) return;
    if (!this.#isTold) this.#tellPromise(now);
    this.#pumpResponses();
    this.#sendFinal();
  }

  keepAlive(ms: number, now: number): void {
    if (!(ms > 0)) return;
    if (this.#isHeldBack) this.pump(now);
    this.#promised = Math.max(this.#promised, now + Math.min(ms, MAX_EXTEND_MS));
    this.#isTold = false;
    this.#tellPromise(now);
  }

  /** To be called on each new link: what was sent on the last one may be lost. */
  repeat(now: number): void {
    this.isOnHold = false;
    // No gap would show that the last promise was lost.
    if (this.#promised > now) this.#isTold = false;
    if (this.isResumable) this.#goBack(this.sent.firstKept(this.#whole));
    this.pump(now);
  }

  /** Answers in another inbox, or again in the same. The first frame says that it was heard. */
  resume({ number, inbox, received }: ResumeOf, now: number): void {
    const isRepeated = number === this.#headers.resume;
    if (number < this.#headers.resume) return;
    // The last answer is still on its way out; another would only be in its way.
    if (isRepeated && (this.isHeldUp || !this.#hasRoom)) return;
    this.#headers.resume = number;
    this.#inbox = inbox;
    this.#isCut = false;
    this.#isTold = false;
    this.#isAsked = true;
    const first = Math.max(received, this.sent.consumed) + 1;
    const isKept = first > this.#whole || this.sent.at(first) !== undefined;
    // A repetition may have come late: the caller may have all of it, and asks anew if not.
    if (isKept || !isRepeated) this.#goBack(first);
    this.pump(now);
  }

  /** A frame has come back. Returns what that means: nothing, that the inbox is gone, or that nobody was ever reached. */
  returned(headers: MessageHeaders): "stale" | "cut" | "never-reached" {
    return this.#headers.isPresent(headers) ? this.#cut(this.#headers.isFirst(headers)) : "stale";
  }

  /** As `returned`, for an Alive to its inbox, whether that has named it or not. */
  returnedAlive(alive: string): "cut" | "never-reached" {
    return this.#cut(this.#headers.isFirstAlive(alive));
  }

  /** The last frame. `isForced`: what was not sent to its end is not sent any more. */
  finish(error: MessagingError | undefined, isForced: boolean, isRefusal = false): void {
    const isJoint = this.canJoinEnd && error === undefined && !isForced;
    this.#letGo(isJoint);
    if (isForced) {
      this.sequence = this.#whole;
      this.sent.dropAfter(this.#whole);
    }
    if (this.isBroken) this.#next = this.sequence + 1;
    this.#final = { error };
    this.#isFinalSent = isJoint;
    if (this.#inbox === undefined || isJoint) return;
    if (this.isResumable && !isRefusal) {
      if (!this.#isCut) this.#pumpResponses();
      this.#sendFinal();
    } else this.#host.replies.sendLast(this.#inbox, this.#finalFrame(this.#final, isRefusal));
  }

  get #hasRoom(): boolean {
    return !this.isOnHold && this.#host.replies.frames.hasRoom;
  }

  get #isBehind(): boolean {
    return this.#next <= this.sequence && !this.#isHeldBack;
  }

  /** What is held back is sent before anything else is said; as the last response it says so. */
  #letGo(isLast: boolean): void {
    if (!this.#isHeldBack) return;
    this.#isHeldBack = false;
    if (!this.#isCut) this.#pumpResponses(isLast);
  }

  #cut(isFirst: boolean): "cut" | "never-reached" {
    if (isFirst || !this.isResumable) return "never-reached";
    this.#isCut = true;
    return "cut";
  }

  #goBack(to: number): void {
    this.#next = Math.min(to, this.sequence + 1);
    this.#piece = 0;
    this.#isFinalSent = false;
  }

  #pumpResponses(isLast = false): void {
    while (this.#next <= this.sequence && this.#sendNext(isLast)) {
      if (this.#next > this.#whole) this.#sentWhole();
      this.#next += 1;
      this.#piece = 0;
    }
  }

  #sentWhole(): void {
    this.#whole = this.#next;
    // Nobody will ever say that it was taken.
    if (this.request.version === "V4") this.sent.grant(this.#whole, 0);
    else this.sent.sentWhole(this.#whole);
  }

  /** False: there is no room for it, or for all of it; or it is not kept any more. */
  #sendNext(isLast: boolean): boolean {
    const body = this.sent.at(this.#next);
    if (body === undefined || !this.#hasRoom) return false;
    const { bytes, contentType } = body;
    const { fragmentBytes } = this.#host.options;
    if (bytes.byteLength <= fragmentBytes) {
      this.#send(
        FRAME.response,
        responseHeaders(this.#headers, this.request, this.#next, body, isLast),
        bytes,
        contentType,
      );
      return true;
    }
    const total = fragmentCount(bytes.byteLength, fragmentBytes);
    for (; this.#piece < total; this.#piece += 1) {
      if (!this.#hasRoom) return false;
      const own = pieceHeaders(this.#headers, this.#next, this.#piece);
      this.#send(FRAME.fragment, own, fragmentAt(bytes, this.#piece, fragmentBytes));
    }
    if (!this.#hasRoom) return false;
    this.#send(FRAME.fragmentEnd, lastPieceHeaders(this.#headers, this.#next, body, total), undefined, contentType);
    return true;
  }

  /** Only the newest: those before it mean less. */
  #tellPromise(now: number): void {
    if (this.#isCut || !this.#hasRoom) return;
    this.#isTold = true;
    if (this.#promised > now || this.#isAsked) this.#sendPromise(now);
    this.#isAsked = false;
  }

  #sendPromise(now: number): void {
    const headers = this.#headers.make(undefined);
    headers[FRAME_HEADER.extendMs] = String(Math.max(0, Math.ceil(this.#promised - now)));
    this.#send(FRAME.keepAlive, headers, undefined);
  }

  #sendFinal(): void {
    if (this.#final === undefined || this.#isFinalSent || this.#isCut || this.#next <= this.sequence) return;
    if (this.#inbox === undefined || !this.#hasRoom) return;
    this.#isFinalSent = this.#host.replies.send(this.#inbox, this.#finalFrame(this.#final, false));
  }

  #finalFrame({ error }: Final, isRefusal: boolean): ReplyParts {
    const { errorStacks } = this.#host.options;
    if (error === undefined) return endFrame(this.#headers, this.request, this.sequence);
    return errorFrame(this.#headers, this.request, error, { isRefusal, errorStacks });
  }

  #send(type: string, headers: Record<string, string>, body: Uint8Array | undefined, contentType?: string): void {
    const inbox = this.#inbox;
    if (inbox === undefined) return;
    this.#host.replies.send(inbox, { type, correlationId: this.request.id, headers, body, contentType });
  }
}
