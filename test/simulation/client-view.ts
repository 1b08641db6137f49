import { FRAME } from "../../src/driver/request-frames.js";
import { DeadlineModel } from "./deadline-model.js";
import type { FactOf } from "./journal.js";
import { PieceModel } from "./piece-model.js";
import type { CallPlan } from "./plan.js";
import { RESPONSE_EXTENDS_MS, ReaderModel } from "./reader-model.js";

/** What a client holds of a server without flow control. */
export const V4_BUFFER = 2_048;
/** Of a server that has not said how often it speaks. */
const UNKNOWN_INTERVAL_MS = 1_000;
/** Of silence, in intervals. */
const LIFE_INTERVALS = 3;
/** Of a server that was cut off together with its client: its longest back-off, and a second. */
const COMEBACK_MS = 6_000;

/** Why a call must be over, and by when. */
export interface Due {
  readonly atMs: number;
  readonly why: "deadline" | "silence" | "news" | "resume";
  readonly text: string;
}

/**
 * What the protocol says of one call, from all that its client gets to know: who answers, what is complete, when it must be
 * over. Made from the protocol's text, apart from the engine, and as exact.
 */
export class ClientView {
  readonly plan: CallPlan;
  readonly #deadline: DeadlineModel;
  readonly #reader: ReaderModel;
  #node: string | undefined;
  #run: string | undefined;
  #namedBy: string | undefined;
  /** Who has done so, and has fallen silent: it may run it all the same. */
  #silent: string | undefined;
  #version: string | undefined;
  #inbox: string | undefined;
  /** It waits for a new inbox: nothing is expected meanwhile. */
  #isAdrift = false;
  #isInboxLost = false;
  /** It was answered in more inboxes than one: the request in the queue names one that is gone. */
  #hasMoved = false;
  /** The Resumes that it has sent, and whether the last one waits for its answer. */
  #counter = 0;
  #isUnanswered = false;
  /** When one must be on its way, and why. */
  #resumeDue: { readonly atMs: number; readonly text: string } | undefined;
  /** After how many responses something was missing. */
  #gapAt: number | undefined;
  #isGapLasting = false;
  #isUpload = false;
  /** By another server than the one that ran it: the request is in no queue any more. */
  #wasRefused = false;
  #completed = 0;
  readonly #pieces = new PieceModel();
  #intervalMs: number | undefined;
  #lastSignMs: number | undefined;
  /** How long the next sign may take, whatever the interval. */
  #comebackMs = 0;
  /** What was told is read first, then the end. */
  #end: string | undefined;
  #endedMs: number | undefined;

  constructor(atMs: number, plan: CallPlan) {
    this.plan = plan;
    this.#deadline = new DeadlineModel(atMs + plan.timeoutMs);
    this.#reader = new ReaderModel(plan, this.#deadline);
  }

  get deadlineMs(): number {
    return this.#deadline.latestMs;
  }

  /** Three intervals after the last sign of life; undefined while none is expected. */
  get silentMs(): number | undefined {
    if (this.#isAdrift) return undefined;
    if (this.#lastSignMs === undefined || this.#intervalMs === undefined) return undefined;
    return this.#lastSignMs + Math.max(this.#comebackMs, LIFE_INTERVALS * this.#intervalMs);
  }

  /** Who answers. */
  get node(): string | undefined {
    return this.#node;
  }

  /** Some server has said that it runs the call, or has answered it, and is expected to say so again. */
  get isWatched(): boolean {
    return this.#lastSignMs !== undefined && this.#intervalMs !== undefined;
  }

  /** It survives the loss of its inbox, of links and of single frames. */
  get isResumable(): boolean {
    if (this.#version !== "V5" || (this.#isUpload && this.#node === undefined)) return false;
    return this.server !== undefined;
  }

  /** Who answers it or, before that, has said to run it. */
  get server(): string | undefined {
    return this.#node ?? this.#namedBy ?? this.#silent;
  }

  /** It has asked its server to go on, and has not heard from it since. */
  get isUnanswered(): boolean {
    return this.#isUnanswered;
  }

  /** Of the last Resume that it has sent. */
  get counter(): number {
    return this.#counter;
  }

  /** The request in the queue names an inbox that is gone: nobody else can answer it. */
  get hasMoved(): boolean {
    return this.#hasMoved;
  }

  /** Its inbox was lost while nobody was known to run it. */
  get isInboxLost(): boolean {
    return this.#isInboxLost;
  }

  /** What was missing is missing still, though it was asked for: nothing is left to do. */
  get isGapLasting(): boolean {
    return this.#isGapLasting;
  }

  /** Its body goes in pieces. */
  get isUpload(): boolean {
    return this.#isUpload;
  }

  /** Without flow control nothing else ends a call whose server is gone. */
  get hasLife(): boolean {
    return this.#version === "V5";
  }

  /** Responses that wait here. */
  get waiting(): number {
    return this.#reader.waiting;
  }

  get mostWaiting(): number {
    return this.#version === "V5" ? this.#reader.window : V4_BUFFER + 1;
  }

  /** When the call must be over if nothing comes any more. */
  get due(): Due {
    if (this.#end !== undefined && this.#endedMs !== undefined) {
      return { atMs: this.#endedMs, why: "news", text: this.#end };
    }
    const { silentMs } = this;
    const resume = this.#resumeDue;
    if (resume !== undefined && resume.atMs < Math.min(silentMs ?? this.deadlineMs, this.deadlineMs)) {
      return { ...resume, why: "resume" };
    }
    if (silentMs !== undefined && silentMs < this.deadlineMs && !this.#mayMoveOn && this.#end === undefined) {
      return { atMs: silentMs, why: "silence", text: `its server was silent for ${LIFE_INTERVALS} intervals` };
    }
    return { atMs: this.deadlineMs, why: "deadline", text: "this was its deadline" };
  }

  onRequested({ inbox, isUpload }: FactOf<"requested">): void {
    this.#inbox = inbox;
    this.#isUpload = isUpload;
  }

  onUploaded(atMs: number): void {
    if (this.plan.allowKeepAlive) this.#deadline.extend(atMs, RESPONSE_EXTENDS_MS);
  }

  onInboxGone(atMs: number, { inbox }: FactOf<"inbox-gone">): void {
    if (inbox !== this.#inbox || this.#end !== undefined) return;
    this.#fallSilent(atMs);
    // An upload that is complete goes on; how far it was only its client knows.
    const mayGoOn = this.#version === "V5" && this.#isUpload && this.server !== undefined;
    if (!this.isResumable && !mayGoOn) {
      this.#isInboxLost = true;
      this.#finish(atMs, "its inbox was lost");
      return;
    }
    // The answer may have been lost with the inbox.
    if (this.#isUnanswered) this.#gapAt = undefined;
    this.#isAdrift = true;
    this.#hasMoved = true;
    this.#isUnanswered = false;
    this.#resumeDue = undefined;
  }

  onInboxLive(atMs: number): void {
    if (this.#isAdrift && this.isResumable && this.#end === undefined)
      this.#resumeDue = { atMs, text: "a new inbox was there" };
  }

  /** Undefined: as it should be. */
  onResumed(atMs: number, { inbox, counter, received }: FactOf<"resumed">): string | undefined {
    if (this.#end !== undefined) return "after its end";
    const isNew = counter === this.#counter + 1;
    if (!isNew && counter !== this.#counter) return `with the counter ${counter} after ${this.#counter}`;
    if (received !== this.#completed) return `as if ${received} responses had come, not ${this.#completed}`;
    if (isNew) {
      const isAsked = this.#isAdrift || this.#resumeDue !== undefined;
      if (!isAsked) return "without need";
      this.#counter = counter;
      // So that its silence is noticed, even if it was never heard how often it speaks.
      this.#sign(atMs, this.#intervalMs ?? UNKNOWN_INTERVAL_MS);
      if (this.#isAdrift) this.#comebackMs = COMEBACK_MS;
      this.#isAdrift = false;
      this.#inbox = inbox;
      this.#isUnanswered = true;
      this.#askedAgain(atMs);
    } else if (!this.#isUnanswered) {
      return "though it has its answer";
    } else if (this.#resumeDue === undefined || atMs < this.#resumeDue.atMs - 1) {
      return "before half an interval was over";
    } else {
      this.#askedAgain(atMs);
    }
    return undefined;
  }

  #askedAgain(atMs: number): void {
    const intervalMs = this.#intervalMs;
    this.#resumeDue =
      intervalMs === undefined
        ? undefined
        : { atMs: atMs + intervalMs / 2, text: "half an interval after the Resume before, which was not answered" };
  }

  onAborted(atMs: number): void {
    this.#end = "it was given up";
    this.#endedMs ??= atMs;
  }

  onAlive(atMs: number, { server, intervalMs, sequence, isOver }: FactOf<"alive">): void {
    if (this.#end !== undefined || this.#isUnanswered || this.#resumeDue !== undefined) return;
    if (this.#node !== undefined && this.#node !== server) return;
    this.#fallSilent(atMs);
    if (this.#node === undefined) {
      this.#namedBy = server;
      this.#version = "V5";
    }
    this.#sign(atMs, intervalMs);
    if (sequence > this.#completed) this.#onGap(atMs, "an Alive has shown a gap");
    else if (isOver) this.#onGap(atMs, "an Alive has shown that the end was lost");
  }

  onFrame(atMs: number, fact: FactOf<"arrived">): void {
    const { server, frame } = fact;
    if (this.#end !== undefined || (this.#node !== undefined && this.#node !== server)) return;
    this.#fallSilent(atMs);
    if (!this.#answers(fact.counter)) return;
    if (this.#node === undefined) this.#version = fact.version;
    switch (frame) {
      case FRAME.response:
      case FRAME.fragment:
      case FRAME.fragmentEnd:
      case FRAME.end:
        if (!this.#bind(atMs, fact)) return;
        if (frame === FRAME.end) this.#onEnd(atMs, fact);
        else if (frame === FRAME.response) this.#onResponse(atMs, fact);
        else this.#onPiece(atMs, fact);
        return;
      case FRAME.keepAlive:
        this.#seen(atMs, fact);
        if (this.plan.allowKeepAlive) this.#deadline.extend(atMs, fact.extendMs ?? 0);
        return;
      case FRAME.channelSetup:
        this.#seen(atMs, fact);
        return;
      case FRAME.error:
        // It runs elsewhere: this node only says that it will not run it again.
        if (fact.isRefusal && this.#namedBy !== undefined && this.#namedBy !== server) this.#wasRefused = true;
        else this.#finish(atMs, "its error was told");
    }
  }

  /** The call is over. */
  onSettled(atMs: number): void {
    this.#fallSilent(atMs);
  }

  onTaken(atMs: number): void {
    this.#reader.taken(atMs);
    this.#endWhenHandedOver(atMs);
  }

  /** Nobody has answered yet: another server may, unless one has taken the request out of the queue by refusing it. */
  get #mayMoveOn(): boolean {
    return this.plan.idempotent && this.#node === undefined && !this.#wasRefused && !this.#hasMoved;
  }

  #fallSilent(atMs: number): void {
    const { silentMs } = this;
    if (silentMs === undefined || atMs <= silentMs || !this.#mayMoveOn) return;
    this.#silent = this.#namedBy;
    this.#namedBy = undefined;
    this.#lastSignMs = undefined;
    // Nor is anything asked for any more.
    this.#isUnanswered = false;
    this.#resumeDue = undefined;
    this.#gapAt = undefined;
  }

  /** False: it was sent before the last Resume was heard. */
  #answers(counter: number): boolean {
    // One that waits for room to be sent counts as sent.
    if (counter < this.#counter || (this.#resumeDue !== undefined && !this.#isUnanswered)) return false;
    if (this.#isUnanswered) {
      this.#isUnanswered = false;
      this.#resumeDue = undefined;
    }
    return true;
  }

  /** What is missing is asked for, once. */
  #onGap(atMs: number, text: string): void {
    if (this.#resumeDue !== undefined) return;
    const isLasting = this.#gapAt === this.#completed;
    if (isLasting || this.#version !== "V5") {
      this.#isGapLasting = isLasting;
      this.#finish(atMs, isLasting ? `${text} again` : text);
    } else {
      this.#gapAt = this.#completed;
      this.#resumeDue = { atMs, text };
    }
  }

  #sign(atMs: number, intervalMs: number | undefined): void {
    this.#lastSignMs = atMs;
    this.#comebackMs = 0;
    this.#intervalMs = intervalMs ?? this.#intervalMs;
  }

  #seen(atMs: number, { server, aliveMs }: FactOf<"arrived">): void {
    if (this.#node === undefined) this.#namedBy = server;
    if (this.#version === "V5") this.#sign(atMs, aliveMs);
  }

  #bind(atMs: number, fact: FactOf<"arrived">): boolean {
    const { server, run } = fact;
    if (this.#node === undefined) {
      this.#node = server;
      this.#run = run;
      if (this.#namedBy !== server) this.#intervalMs = undefined;
    } else if (run !== this.#run) {
      this.#finish(atMs, "its server has started it anew");
      return false;
    }
    this.#seen(atMs, fact);
    return true;
  }

  #onResponse(atMs: number, { sequence, bytes }: FactOf<"arrived">): void {
    if (this.#version === "V5" && !this.#isNext(atMs, sequence)) return;
    this.#complete(atMs, bytes);
  }

  #onPiece(atMs: number, { sequence, bytes, piece, pieces }: FactOf<"arrived">): void {
    if (!this.#isNext(atMs, sequence)) return;
    if (piece !== undefined && this.plan.allowKeepAlive) this.#deadline.extend(atMs, RESPONSE_EXTENDS_MS);
    const whole = this.#pieces.add(piece, bytes, pieces);
    if (whole !== undefined) this.#complete(atMs, whole);
  }

  #isNext(atMs: number, sequence: number | undefined): boolean {
    if (sequence === undefined || sequence > this.#completed + 1) {
      this.#onGap(atMs, "a response has shown a gap");
      return false;
    }
    return sequence > this.#completed;
  }

  #complete(atMs: number, bytes: number): void {
    this.#completed += 1;
    this.#reader.add(atMs, bytes);
    this.#endWhenHandedOver(atMs);
    if (this.waiting > V4_BUFFER) this.#finish(atMs, "its reader is behind by what V4 allows");
  }

  #onEnd(atMs: number, { total }: FactOf<"arrived">): void {
    const isWhole = this.#version !== "V5" || total === this.#completed;
    if (isWhole) this.#finish(atMs, "its end was told");
    else this.#onGap(atMs, "its end has shown a gap");
  }

  #finish(atMs: number, text: string): void {
    if (this.#end !== undefined) return;
    this.#end = text;
    this.#resumeDue = undefined;
    this.#isAdrift = false;
    this.#endWhenHandedOver(atMs);
  }

  /** Without flow control the last response, too, waits for room for another before the end is told. */
  #endWhenHandedOver(atMs: number): void {
    if (this.#end === undefined || this.#endedMs !== undefined) return;
    if (this.#reader.isHandedOver && (this.#version === "V5" || this.#reader.hasRoom)) this.#endedMs = atMs;
  }
}
