import type { WireMessage } from "../../driver/driver.js";
import { MessagingError } from "../../errors/messaging-error.js";
import type { NodeId } from "../../ports/broadcast.js";
import type { RequestContext } from "../../ports/request-sink.js";
import { toError } from "../../util/error-text.js";
import type { CoreContext } from "../core-context.js";
import { AnsweringNode } from "./answering-node.js";
import type { CallHost, HostedCall } from "./call-host.js";
import { type CallerListener, isWatched } from "./call-signal.js";
import type { InboxLife } from "./client-inbox.js";
import type { CreditOf, CreditSource } from "./control-sender.js";
import { ForeignCaller } from "./foreign-caller.js";
import type { AliveEntry } from "./frames.js";
import { decodeError, FRAME, FRAME_HEADER, numberIn } from "./frames.js";
import { IncomingResponses } from "./incoming-responses.js";
import { LifeWatch } from "./life-watch.js";
import { observeCallEnd } from "./observe-call-end.js";
import type { OutgoingRequest } from "./outgoing-request.js";
import { type PublishingOwner, RequestPublishing } from "./request-publishing.js";
import { Resumption } from "./resumption.js";
import { Upload } from "./upload.js";

type Roles = CreditSource & HostedCall & CallerListener & PublishingOwner;

/** The client's side of one call: from its request to its end, whatever comes and whatever does not. */
export class RemoteCall implements Roles {
  readonly request: OutgoingRequest;
  readonly #context: CoreContext;
  readonly #calls: CallHost;
  readonly #caller: RequestContext<never>;
  readonly #responses: IncomingResponses;
  readonly #life: LifeWatch;
  readonly #since: number;
  /** Of a context that does not tell of every end. */
  readonly #foreign: ForeignCaller | undefined;
  /** The inbox that it is answered in. */
  life: InboxLife | undefined;
  readonly #server: AnsweringNode;
  #upload: Upload | undefined;
  readonly #publishing: RequestPublishing;
  /** Since it was first taken up again. */
  #resumption: Resumption | undefined;
  #isOver = false;

  constructor(context: CoreContext, calls: CallHost, request: OutgoingRequest) {
    this.#context = context;
    this.#calls = calls;
    this.request = request;
    this.#caller = request.context;
    this.#since = context.clock.now();
    this.#responses = new IncomingResponses(request, this);
    this.#life = new LifeWatch(calls.timers, this);
    this.#server = new AnsweringNode(this.#life);
    this.#publishing = new RequestPublishing(context, calls, request, this);
    if (isWatched(request.context)) request.context.watch(this);
    else this.#foreign = new ForeignCaller(request.context, calls.timers, this);
  }

  get credit(): CreditOf | undefined {
    const { consumed, grantedUpTo } = this.#responses;
    const { node, run, isV5 } = this.#server;
    if (node === undefined || !isV5 || this.#isOver) return undefined;
    return { sink: this.request.sink, id: this.request.id, node, run, consumed, grantedUpTo };
  }

  /** It has arrived, or need not. */
  get isSettled(): boolean {
    return this.#isOver || this.#server.present !== undefined;
  }

  /** Enough was taken for the server to be told. */
  onCredit(): void {
    this.#calls.controls.credit(this);
  }

  /** The server has ended the call. */
  onDone(error: MessagingError | undefined): void {
    const { sink, id } = this.request;
    const { present: node, isV5 } = this.#server;
    if (node !== undefined && isV5 && !this.#isOver) {
      this.#calls.closings.add({ sink, node, id }, this.#responses.unsettledBytes);
    }
    this.#finish(error);
  }

  /** Something is missing. It is asked for once; if it is missing still, it is lost. */
  onGap(error: MessagingError): void {
    if (this.#isOver) return;
    if (!this.#server.isV5 || !this.#takeUp().resumeAfterGap()) this.lose(error);
  }

  /** The caller's end takes nothing more. */
  onCallerOver(reason: unknown): void {
    if (this.#isOver) return;
    const error = MessagingError.is(reason)
      ? reason
      : new MessagingError("ABORTED", "call: ended at its caller's side", { cause: reason });
    const isSilent = this.#server.present === undefined;
    this.#abort();
    this.#finish(error);
    if (error.code === "TIMEOUT" && isSilent && this.life !== undefined) this.#calls.probe(this.life);
  }

  /** It is not made: nothing of it is on the wire. */
  refuse(error: MessagingError): void {
    this.#finish(error);
  }

  onThrown(thrown: unknown): void {
    const { sink: source, callId: messageId } = this.request;
    this.#context.observe({ type: "handler-failed", source, messageId, error: toError(thrown) });
  }

  abortByCaller(): void {
    this.lose(new MessagingError("ABORTED", "call: aborted by its caller"));
  }

  /** Its inbox is gone. It goes on in the next if there is somebody to be told so. */
  onInboxLost(error: MessagingError): void {
    const canResume = this.#server.isV5 && this.#server.last !== undefined;
    if (canResume && this.#upload?.isDone !== false) this.#takeUp().suspend();
    else this.lose(error);
  }

  /** There is another inbox. */
  resumeIn(life: InboxLife): void {
    this.life = life;
    this.#resumption?.resumeIn(life);
  }

  /** It cannot end well any more. It may run, so its server is told, or all are. */
  lose(error: MessagingError): void {
    if (this.#isOver) return;
    this.#abort();
    this.#finish(error);
  }

  /** Puts the request into the queue, to be answered in this inbox. */
  publish(life: InboxLife | undefined): void {
    this.life = life;
    this.#publishing.publish();
  }

  onPublished(): void {
    if (this.request.isOneWay) this.#finish(undefined);
  }

  onFrame(frame: WireMessage): void {
    const node = frame.headers[FRAME_HEADER.node];
    if (node === undefined) {
      this.#discard(frame, "no server is named on it");
      return;
    }
    if (this.#server.isOther(node)) {
      this.#calls.answerAbort(this.request.sink, this.request.id, node);
      return;
    }
    if (this.#resumption?.admits(frame) === false) return;
    this.#server.speaks(frame);
    switch (frame.type) {
      case FRAME.response:
      case FRAME.fragment:
      case FRAME.fragmentEnd:
      case FRAME.end:
        if (this.#bind(node, frame)) this.#responses.onFrame(frame, this.#server.isV5);
        return;
      case FRAME.keepAlive:
        this.#seen(node, frame);
        if (!this.#caller.keepAlive(numberIn(frame.headers, FRAME_HEADER.extendMs) ?? 0)) this.onCallerOver(undefined);
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

  onAlive(node: NodeId, intervalMs: number, { sequence, isBlocked, isOver }: AliveEntry): void {
    // It may say what was so before the server heard the Resume.
    if (this.#resumption?.isUnanswered === true) return;
    if (this.#server.isOther(node)) {
      this.#calls.answerAbort(this.request.sink, this.request.id, node);
      return;
    }
    this.#server.named(node, intervalMs);
    if (sequence > this.#responses.completed) this.#responses.onMissing(`the server has sent ${sequence}`);
    else if (isOver) this.onGap(new MessagingError("DATA_LOSS", "the end of the call was lost"));
    else if (isBlocked) this.#calls.controls.credit(this);
  }

  /** The link has room again. */
  upload(): void {
    this.#upload?.pump();
  }

  onUploadLost(): void {
    if (this.#upload === undefined) return;
    this.#endUpload();
    this.lose(new MessagingError("UNAVAILABLE", "the server's inbox was lost in the middle of the upload"));
  }

  /** False: the node has run it again, and what came belongs to two runs. */
  #bind(node: NodeId, frame: WireMessage): boolean {
    const bond = this.#server.bind(node, frame);
    if (bond === "other-run") {
      const text = "the server has started the call anew after it had been answered: it may have run twice";
      this.lose(new MessagingError("UNAVAILABLE", text));
      return false;
    }
    if (bond === "new") {
      this.#publishing.cancelRetry();
      this.#endUpload();
    }
    this.#seen(node, frame);
    return true;
  }

  #seen(node: NodeId, frame: WireMessage): void {
    this.#server.seen(node, frame);
    this.#resumption?.runsAt(node);
  }

  #onError(node: NodeId, frame: WireMessage): void {
    const error = decodeError(frame);
    const isRefusal = frame.headers[FRAME_HEADER.refused] === "true";
    // It runs elsewhere: this node only says that it will not run it again.
    if (isRefusal && this.#server.refused(node, error)) return;
    this.#seen(node, frame);
    this.#responses.onError(error);
  }

  /** It was answered or named once and has not been named for three intervals. */
  onSilence(): void {
    if (this.#server.node === undefined && this.request.isIdempotent && this.#resumption?.hasMoved !== true) {
      this.#resumption?.drop();
      // Whoever refused it has taken it out of the queue: nobody is left to run it.
      if (this.#server.refusal !== undefined) this.lose(this.#server.refusal);
      else this.#server.fellSilent();
      return;
    }
    const text = "the server that ran the call has fallen silent";
    this.lose(this.#resumption?.silentError() ?? new MessagingError("UNAVAILABLE", text));
  }

  #takeUp(): Resumption {
    const parts = { call: this, calls: this.#calls, server: this.#server, watch: this.#life };
    this.#resumption ??= new Resumption({ ...parts, responses: this.#responses });
    return this.#resumption;
  }

  #startUpload(frame: WireMessage): void {
    const address = frame.headers[FRAME_HEADER.inbox];
    if (address === undefined || this.#server.node !== undefined || !this.request.isUpload) return;
    this.#upload = new Upload(this, this.#calls, this.#context.clock, address, frame);
  }

  #endUpload(): void {
    this.#upload?.end();
    this.#upload = undefined;
  }

  #abort(): void {
    if (!this.#publishing.hasBegun || this.request.isOneWay) return;
    this.#calls.controls.abort({ sink: this.request.sink, id: this.request.id, node: this.#server.node });
  }

  #finish(error: MessagingError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#life.cancel();
    this.#publishing.end(error);
    this.#resumption?.end();
    this.#endUpload();
    this.#calls.remove(this);
    this.#calls.controls.forget(this);
    if (isWatched(this.#caller)) this.#caller.unwatch(this);
    this.#foreign?.forget();
    const { completed: responses } = this.#responses;
    observeCallEnd(this.#context, this.request, { side: "client", since: this.#since, error, responses });
    this.#responses.close(error);
  }

  #discard(frame: WireMessage, reason: string): void {
    this.#context.observe({ type: "discarded", source: this.request.sink, reason, messageId: frame.messageId });
  }
}
