import type { WireMessage } from "../../driver/driver.js";
import { MessagingError } from "../../errors/messaging-error.js";
import type { NodeId } from "../../ports/broadcast.js";
import type { Cancel } from "../../ports/clock.js";
import type { RequestContext } from "../../ports/request-sink.js";
import { backoffMs } from "../../util/backoff.js";
import { Ending } from "../../util/ending.js";
import { toError } from "../../util/error-text.js";
import type { CoreContext } from "../core-context.js";
import { RECONNECT } from "../managed-connection.js";
import type { CallHost, HostedCall } from "./call-host.js";
import { isWatched, whenOver } from "./call-signal.js";
import type { InboxLife } from "./client-inbox.js";
import type { CreditOf, CreditSource } from "./control-sender.js";
import type { AliveEntry } from "./frames.js";
import { decodeError, FRAME, FRAME_HEADER, numberIn } from "./frames.js";
import { IncomingResponses } from "./incoming-responses.js";
import { LifeWatch } from "./life-watch.js";
import type { OutgoingRequest } from "./outgoing-request.js";
import { Upload } from "./upload.js";

/** A context ends itself at its deadline; this is for one that does not. */
const DEADLINE_GRACE_MS = 1_000;

/** The client's side of one call: from its request to its end, whatever comes and whatever does not. */
export class RemoteCall implements CreditSource, HostedCall {
  readonly request: OutgoingRequest;
  readonly #context: CoreContext;
  readonly #calls: CallHost;
  readonly #caller: RequestContext<never>;
  readonly #responses: IncomingResponses;
  readonly #life: LifeWatch;
  readonly #since: number;
  readonly #forgetCaller: () => void;
  /** The inbox that it is answered in. */
  life: InboxLife | undefined;
  /** Who answers: set by the first response or end. */
  #node: NodeId | undefined;
  /** Which of its runs, if the request was delivered again. */
  #run: string | undefined;
  /** Who said that it runs there. */
  #namedBy: NodeId | undefined;
  #version: string | undefined;
  #upload: Upload | undefined;
  #tries = 0;
  #retry: Cancel | undefined;
  #deadline: Cancel | undefined;
  /** Ends with the call: what has not been sent by then must not be. */
  #publishing: Ending<MessagingError> | undefined;
  #isPublished = false;
  #isOver = false;

  constructor(context: CoreContext, calls: CallHost, request: OutgoingRequest) {
    this.#context = context;
    this.#calls = calls;
    this.request = request;
    this.#caller = request.context;
    this.#since = context.clock.now();
    this.#responses = new IncomingResponses(request, this);
    this.#life = new LifeWatch(calls.timers, this);
    this.#forgetCaller = whenOver(request.context, (reason) => this.#onCallerGone(reason));
    // Any other context tells only of its aborts, so that its deadline is all that is left to go by.
    if (!isWatched(request.context)) this.#watchDeadline();
  }

  get id(): string {
    return this.request.id;
  }

  get sink(): string {
    return this.request.sink;
  }

  get callId(): string {
    return this.request.callId;
  }

  get name(): string {
    return this.request.name;
  }

  get isOneWay(): boolean {
    return this.request.window === 0;
  }

  get credit(): CreditOf | undefined {
    const { consumed, grantedUpTo } = this.#responses;
    if (this.#node === undefined || this.#version !== "V5" || this.#isOver) return undefined;
    return { sink: this.sink, id: this.id, node: this.#node, run: this.#run, consumed, grantedUpTo };
  }

  /** Enough was taken for the server to be told. */
  onCredit(): void {
    this.#calls.controls.credit(this);
  }

  /** The server has ended the call. */
  onDone(error: MessagingError | undefined): void {
    this.#finish(error);
  }

  /** What came cannot be right. */
  onFault(error: MessagingError): void {
    this.#failAndAbort(error);
  }

  /** The caller's end takes nothing more. */
  onCallerOver(): void {
    this.#onCallerGone(undefined);
  }

  /** The call is over at the caller's side. */
  #onCallerGone(reason: unknown): void {
    if (this.#isOver) return;
    const error = MessagingError.is(reason)
      ? reason
      : new MessagingError("ABORTED", "call: ended at its caller's side", { cause: reason });
    const isSilent = this.#node === undefined && this.#namedBy === undefined;
    this.#abort();
    this.#finish(error);
    if (error.code === "TIMEOUT" && isSilent && this.life !== undefined) this.#calls.probe(this.life);
  }

  /** It is not made: nothing of it is on the wire. */
  refuse(error: MessagingError): void {
    this.#finish(error);
  }

  abortByCaller(): void {
    this.#failAndAbort(new MessagingError("ABORTED", "call: aborted by its caller"));
  }

  /** From outside: its inbox is gone, or its client closes. It may run, so all are told. */
  lose(error: MessagingError): void {
    this.#failAndAbort(error);
  }

  /** Puts the request into the queue, to be answered in this inbox. */
  publish(life: InboxLife | undefined): void {
    this.life = life;
    this.#tries += 1;
    this.#isPublished = true;
    const { outbox, clock } = this.#context;
    const timeoutMs = Math.max(1, this.#caller.deadline - clock.now());
    const message = this.request.toFrame(this.#calls.clientId, life?.address, timeoutMs);
    const publishing = new Ending<MessagingError>();
    this.#publishing = publishing;
    const bounds = { what: `request ${this.sink}`, timeoutMs, signal: undefined, resend: false, ended: publishing };
    outbox.publish(this.request.address, message, bounds).then(
      () => {
        this.#publishing = undefined;
        this.request.releaseBody();
        if (this.isOneWay) this.#finish(undefined);
      },
      (error: unknown) => this.#onUnpublished(this.#context.driver.toMessagingError(error)),
    );
  }

  onFrame(frame: WireMessage): void {
    const node = frame.headers[FRAME_HEADER.node];
    if (node === undefined) {
      this.#discard(frame, "no server is named on it");
      return;
    }
    if (this.#node !== undefined && node !== this.#node) {
      this.#calls.answerAbort(this.sink, this.id, node);
      return;
    }
    if (this.#node === undefined) this.#version = frame.headers[FRAME_HEADER.version] ?? "V4";
    switch (frame.type) {
      case FRAME.response:
      case FRAME.fragment:
      case FRAME.fragmentEnd:
      case FRAME.end:
        if (this.#bind(node, frame)) this.#responses.onFrame(frame, this.#version === "V5");
        return;
      case FRAME.keepAlive:
        this.#seen(node, frame);
        if (!this.#caller.keepAlive(numberIn(frame.headers, FRAME_HEADER.extendMs) ?? 0)) this.onCallerOver();
        return;
      case FRAME.channelSetup:
        this.#seen(node, frame);
        this.#startUpload(frame);
        return;
      case FRAME.credit:
        this.#upload?.onCredit(frame);
        return;
      case FRAME.error:
        this.#onError(node, frame);
        return;
      default:
        this.#discard(frame, "its type is not known");
    }
  }

  onAlive(node: NodeId, intervalMs: number, { sequence, isBlocked }: AliveEntry): void {
    if (this.#node !== undefined && this.#node !== node) {
      this.#calls.answerAbort(this.sink, this.id, node);
      return;
    }
    if (this.#node === undefined) {
      this.#namedBy = node;
      this.#version = "V5";
    }
    this.#life.sign(intervalMs);
    if (sequence > this.#responses.completed) {
      this.#failAndAbort(new MessagingError("DATA_LOSS", `response ${this.#responses.completed + 1} was lost`));
    } else if (isBlocked) this.#calls.controls.credit(this);
  }

  /** The link has room again. */
  upload(): void {
    this.#upload?.pump();
  }

  onUploadLost(): void {
    if (this.#upload === undefined) return;
    this.#endUpload();
    this.#failAndAbort(new MessagingError("UNAVAILABLE", "the server's inbox was lost in the middle of the upload"));
  }

  /** False: the node has run it again, and what came belongs to two runs. */
  #bind(node: NodeId, frame: WireMessage): boolean {
    const run = frame.headers[FRAME_HEADER.run];
    if (this.#node === undefined) {
      this.#node = node;
      this.#run = run;
      this.#retry?.();
      this.#endUpload();
      if (this.#namedBy !== node) this.#life.forget();
    } else if (run !== this.#run) {
      const text = "the server has started the call anew after it had been answered: it may have run twice";
      this.#failAndAbort(new MessagingError("UNAVAILABLE", text));
      return false;
    }
    this.#seen(node, frame);
    return true;
  }

  #seen(node: NodeId, frame: WireMessage): void {
    if (this.#node === undefined) this.#namedBy = node;
    if (this.#version === "V5") this.#life.sign(numberIn(frame.headers, FRAME_HEADER.aliveMs, 1));
  }

  #onError(node: NodeId, frame: WireMessage): void {
    const isRefusal = frame.headers[FRAME_HEADER.refused] === "true";
    // It runs elsewhere: this node only says that it will not run it again.
    if (isRefusal && this.#namedBy !== undefined && this.#namedBy !== node) return;
    this.#responses.onError(decodeError(frame));
  }

  #watchDeadline(): void {
    const { timers } = this.#calls;
    const wait = Math.max(0, Math.min(this.#caller.deadline, Number.MAX_SAFE_INTEGER) - timers.now());
    this.#deadline = timers.setTimer(wait + DEADLINE_GRACE_MS, () => {
      if (this.#caller.deadline + DEADLINE_GRACE_MS > timers.now()) this.#watchDeadline();
      else this.#failAndAbort(new MessagingError("TIMEOUT", "call: not ended within its time"));
    });
  }

  /** It was answered or named once and has not been named for three intervals. */
  onSilence(): void {
    if (this.#node === undefined && this.request.isIdempotent) {
      this.#namedBy = undefined;
      return;
    }
    this.#failAndAbort(new MessagingError("UNAVAILABLE", "the server that ran the call has fallen silent"));
  }

  #onUnpublished(error: MessagingError): void {
    this.#publishing = undefined;
    // One that was answered or named has arrived, whatever became of its confirm.
    if (this.#isOver || this.#node !== undefined || this.#namedBy !== undefined) return;
    // Both had the same time, and whose timer fires first is chance.
    if (this.#context.clock.now() >= this.#caller.deadline) {
      this.#failAndAbort(new MessagingError("TIMEOUT", "call: not ended within its time", { cause: error }));
      return;
    }
    const isSafe = this.request.isIdempotent && error.retryable && !(this.life?.lost.hasEnded ?? true);
    if (!isSafe) {
      this.#failAndAbort(error);
      return;
    }
    const waitMs = backoffMs(this.#tries, this.#context.random.fraction(), RECONNECT);
    this.#retry = this.#calls.timers.setTimer(waitMs, () => this.publish(this.life));
  }

  #startUpload(frame: WireMessage): void {
    const address = frame.headers[FRAME_HEADER.inbox];
    if (address === undefined || this.#node !== undefined || !this.request.isUpload) return;
    this.#upload = new Upload(this.request, this.#calls, this.#context.clock, address, frame);
    this.#calls.setUploading(this, true);
    this.#upload.pump();
  }

  #endUpload(): void {
    if (this.#upload === undefined) return;
    this.#upload = undefined;
    this.#calls.setUploading(this, false);
  }

  #failAndAbort(error: MessagingError): void {
    if (this.#isOver) return;
    this.#abort();
    this.#finish(error);
  }

  #abort(): void {
    if (!this.#isPublished || this.isOneWay) return;
    this.#calls.controls.abort({ sink: this.sink, id: this.id, node: this.#node });
  }

  #finish(error: MessagingError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#life.cancel();
    this.#retry?.();
    this.#deadline?.();
    this.#publishing?.end(error ?? new MessagingError("ABORTED", "the call is over"));
    this.#endUpload();
    this.#calls.remove(this);
    this.#calls.controls.forget(this);
    this.#forgetCaller();
    const { observe, clock } = this.#context;
    const responses = this.#responses.completed;
    const ms = clock.now() - this.#since;
    observe({ type: "call", side: "client", sink: this.sink, callId: this.callId, error, responses, ms });
    try {
      this.#responses.close(error);
    } catch (thrown) {
      observe({ type: "handler-failed", source: this.sink, messageId: this.callId, error: toError(thrown) });
    }
  }

  #discard(frame: WireMessage, reason: string): void {
    this.#context.observe({ type: "discarded", source: this.sink, reason, messageId: frame.messageId });
  }
}
