import type { WireMessage } from "../../driver/driver.js";
import { MessagingError } from "../../errors/messaging-error.js";
import type { NodeId } from "../../ports/broadcast.js";
import type { Cancel } from "../../ports/clock.js";
import type { CoreContext } from "../core-context.js";
import type { CallHost, HostedCall } from "./call-host.js";
import { ClientInbox, type InboxLife } from "./client-inbox.js";
import { ClosingMarks } from "./closing-marks.js";
import { ControlSender } from "./control-sender.js";
import { FrameLink } from "./frame-link.js";
import { decodeAlive, FRAME, FRAME_HEADER } from "./frames.js";
import type { RemoteCall } from "./remote-call.js";
import { SharedTimers } from "./shared-timers.js";

/** How often an unknown call is answered with Abort, and late frames are told of. */
const INTERVAL_MS = 1_000;
/** Unknown calls that are answered within one interval; more are answered in the next. */
const MAX_ANSWERED = 10_000;
/** Services whose unknown calls are answered. */
const MAX_SINKS = 10_000;

/** The client's side of one Messaging: its inbox, and the calls that are answered there. */
export class ClientCalls implements CallHost {
  readonly clientId: string;
  readonly controls: ControlSender;
  readonly closings: ClosingMarks;
  readonly frames: FrameLink;
  /** For the calls. */
  readonly timers: SharedTimers;
  readonly #context: CoreContext;
  readonly #calls = new Map<string, RemoteCall>();
  /** The services that were called, the latest last. */
  readonly #sinks = new Set<string>();
  /** By sink and the application's callId. */
  readonly #named = new Map<string, Map<string, RemoteCall>>();
  /** Calls that wait for the inbox. */
  readonly #starting = new Set<RemoteCall>();
  readonly #uploading = new Set<RemoteCall>();
  /** Calls that wait for another inbox, or for their server to answer in this one. */
  readonly #resuming = new Set<RemoteCall>();
  readonly #answered = new Set<string>();
  #interval: Cancel | undefined;
  /** Frames of unknown calls that have not been told of. */
  #late = 0;
  readonly #inbox: ClientInbox;
  #isClosed = false;

  constructor(context: CoreContext) {
    this.#context = context;
    this.clientId = context.random.uuid();
    this.timers = new SharedTimers(context.clock);
    this.controls = new ControlSender(context, this.clientId);
    this.closings = new ClosingMarks(context.clock, (closing) => this.controls.closing(closing));
    this.frames = new FrameLink(
      context.connection,
      () => {
        for (const call of this.#uploading) call.upload();
      },
      (frame, error) => this.#calls.get(frame.correlationId ?? "")?.lose(context.driver.toMessagingError(error)),
    );
    this.#inbox = new ClientInbox({
      context,
      clientId: this.clientId,
      frames: this.frames,
      onFrame: (frame) => this.#onFrame(frame),
      onLive: (life) => this.#onLive(life),
      onLost: (life) => this.#onLost(life),
      onFailed: (error) => this.#onFailed(error),
    });
  }

  /** For tests and metrics: what is in the tables. */
  get tables(): Readonly<Record<string, number>> {
    return {
      calls: this.#calls.size,
      named: [...this.#named.values()].reduce((sum, { size }) => sum + size, 0),
      starting: this.#starting.size,
      uploading: this.#uploading.size,
      resuming: this.#resuming.size,
      closings: this.closings.size,
      unsentControls: this.controls.unsent,
      answered: this.#answered.size,
    };
  }

  /** Registers the call; it is told when it may be published. Returns why not: one of this name is live, or this is closed. */
  add(call: RemoteCall): MessagingError | undefined {
    if (this.#isClosed) return closedError();
    const { id, sink, callId, name, isOneWay } = call.request;
    const named = this.#named.get(sink) ?? new Map<string, RemoteCall>();
    if (named.has(name)) {
      return new MessagingError("ALREADY_EXISTS", `a call with the callId ${JSON.stringify(callId)} is live`);
    }
    this.#calls.set(id, call);
    this.#named.set(sink, named.set(name, call));
    this.#remember(sink);
    if (isOneWay) call.publish(undefined);
    else if (this.#inbox.life !== undefined) call.publish(this.#inbox.life);
    else {
      this.#starting.add(call);
      this.#context.connection.onReturned.add(this.#onReturned);
      this.#inbox.open();
    }
    return undefined;
  }

  remove({ request: { id, sink, name } }: HostedCall): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    const named = this.#named.get(sink);
    named?.delete(name);
    if (named?.size === 0) this.#named.delete(sink);
    this.#starting.delete(call);
    this.#uploading.delete(call);
    this.#resuming.delete(call);
  }

  abort(sink: string, callId: string): void {
    this.#named.get(sink)?.get(callId)?.abortByCaller();
  }

  setUploading({ request: { id } }: HostedCall, isUploading: boolean): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    if (isUploading) this.#uploading.add(call);
    else this.#uploading.delete(call);
  }

  setResuming({ request: { id } }: HostedCall, isResuming: boolean): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    if (isResuming) this.#resuming.add(call);
    else this.#resuming.delete(call);
  }

  /** Fails what is pending and tells its servers. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#context.connection.onReturned.delete(this.#onReturned);
    for (const call of [...this.#calls.values()]) call.lose(closedError());
    this.#interval?.();
    this.#tellLate();
    this.#answered.clear();
    this.closings.flush();
    await this.#inbox.close();
  }

  /** A call has timed out without any sign of life. */
  probe(life: InboxLife): void {
    this.#inbox.probe(life);
  }

  #onLive(life: InboxLife): void {
    for (const call of [...this.#resuming]) call.resumeIn(life);
    for (const call of [...this.#starting]) {
      this.#starting.delete(call);
      call.publish(life);
    }
  }

  #onLost(life: InboxLife): void {
    if (this.#isClosed) return;
    const cause = life.lost.reason;
    const error = new MessagingError("UNAVAILABLE", "the inbox was lost: the call may have run", { cause });
    for (const call of [...this.#calls.values()]) if (call.life === life) call.onInboxLost(error);
  }

  #onFailed(error: MessagingError): void {
    for (const call of [...this.#starting, ...this.#resuming]) call.lose(error);
  }

  #onFrame(frame: WireMessage): void {
    const id = frame.correlationId ?? "";
    if (frame.type === FRAME.alive) {
      this.#onAlive(frame);
      return;
    }
    const call = this.#calls.get(id);
    if (call !== undefined) {
      try {
        call.onFrame(frame);
      } catch (cause) {
        loseToItsCaller(call, cause);
      }
      return;
    }
    this.#countLate();
    this.answerAbort(frame.replyTo, id, frame.headers[FRAME_HEADER.node]);
  }

  #onAlive(frame: WireMessage): void {
    const node = frame.headers[FRAME_HEADER.node];
    const alive = decodeAlive(frame.body);
    if (alive === undefined || node === undefined) {
      this.#discard("an Alive frame that cannot be read", frame);
      return;
    }
    for (const entry of alive.calls) {
      const call = this.#calls.get(entry.id);
      if (call === undefined) {
        if (entry.isOver) this.#answerEnd(frame.replyTo, entry.id, node);
        else this.answerAbort(frame.replyTo, entry.id, node);
        continue;
      }
      try {
        call.onAlive(node, alive.intervalMs, entry);
      } catch (cause) {
        loseToItsCaller(call, cause);
      }
    }
  }

  /** Answers with Abort, once per interval and call, so that a server whose abort was lost stops all the same. */
  answerAbort(sink: string | undefined, id: string, node: NodeId | undefined): void {
    // Only to services that were called from here: nobody else can mean a call of this inbox.
    if (sink === undefined || !this.#sinks.has(sink) || node === undefined || id === "" || this.#isClosed) return;
    const key = `${id} ${node}`;
    if (this.#answered.has(key) || this.#answered.size >= MAX_ANSWERED) return;
    this.#answered.add(key);
    this.#startInterval();
    this.controls.abort({ sink, id, node });
  }

  /** It is over here, too: nothing of it need be kept. */
  #answerEnd(sink: string | undefined, id: string, node: NodeId): void {
    if (sink !== undefined && this.#sinks.has(sink) && !this.#isClosed) this.closings.add({ sink, node, id });
  }

  #remember(sink: string): void {
    if (this.#sinks.has(sink)) return;
    this.#sinks.add(sink);
    const [oldest] = this.#sinks;
    if (this.#sinks.size > MAX_SINKS && oldest !== undefined) this.#sinks.delete(oldest);
  }

  /** Told at once, then once per interval: a server that is not aborted yet may send thousands. */
  #countLate(): void {
    this.#late += 1;
    if (this.#interval === undefined) this.#tellLate();
    this.#startInterval();
  }

  #tellLate(): void {
    const count = this.#late;
    this.#late = 0;
    const reason = "frames of calls that are over or were never made here";
    if (count > 0) this.#context.observe({ type: "discarded", source: "inbox", reason, count });
  }

  #startInterval(): void {
    this.#interval ??= this.#context.clock.setTimer(INTERVAL_MS, () => {
      this.#interval = undefined;
      this.#answered.clear();
      this.#tellLate();
    });
  }

  /** A piece of an upload that found no inbox. */
  readonly #onReturned = (frame: WireMessage): boolean => {
    if (frame.headers[FRAME_HEADER.client] !== this.clientId) return false;
    this.#calls.get(frame.correlationId ?? "")?.onUploadLost();
    return true;
  };

  #discard(reason: string, frame: WireMessage): void {
    const { observe } = this.#context;
    observe({ type: "discarded", source: "inbox", reason, messageId: frame.correlationId ?? frame.messageId });
  }
}

/** What a caller's own context throws ends its call, not the inbox that all calls share. */
function loseToItsCaller(call: RemoteCall, cause: unknown): void {
  call.lose(new MessagingError("INTERNAL", "the caller's context has thrown", { cause }));
}

function closedError(): MessagingError {
  return new MessagingError("CLOSED", "this Messaging is closed");
}
