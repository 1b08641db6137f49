import type { WireMessage } from "../../driver/driver.js";
import { MessagingError } from "../../errors/messaging-error.js";
import type { CoreContext } from "../core-context.js";
import type { Link } from "../managed-connection.js";
import { AliveBeat } from "./alive-beat.js";
import { CutCalls } from "./cut-calls.js";
import { type EndedCall, lostError, type Waiting } from "./ended-call.js";
import { encodeError, FRAME, FRAME_HEADER, JSON_TYPE } from "./frames.js";
import type { IncomingRequest } from "./incoming-request.js";
import { ReplySender } from "./reply-sender.js";
import type { ResponseFrames } from "./response-frames.js";
import type { ResumeOf } from "./resume-frame.js";
import { Retention } from "./retention.js";
import type { ServerCall } from "./server-call.js";
import type { SharedTimers } from "./shared-timers.js";
import type { ResolvedServeOptions } from "./sink-options.js";

/** How long the loss of a link may take to be told when a frame has failed of it. */
const LOSS_MS = 100;

export interface ServerRepliesOptions {
  readonly context: CoreContext;
  readonly sink: string;
  readonly options: ResolvedServeOptions;
  readonly clock: SharedTimers;
  /** Those that run. */
  readonly calls: ReadonlyMap<string, ServerCall>;
  /** Called once per interval of Alive for each call. */
  onBeat(call: ServerCall): void;
  /** A call that is over has nothing left to be sent. */
  onProgress(): void;
}

/** All that goes from one server to its callers: by turns while there is room, again where it may have been lost. */
export class ServerReplies {
  readonly sender: ReplySender;
  readonly retention: Retention;
  /** Calls that wait for room on the link, the first in line first. */
  readonly waiting = new Set<Waiting>();
  /** Calls whose caller has no inbox. */
  readonly cut: CutCalls;
  readonly #options: ServerRepliesOptions;
  readonly #beat: AliveBeat;
  #forgetLink: () => void = () => {};
  #isInterrupted = false;

  constructor(parts: ServerRepliesOptions) {
    const { context, sink, options, clock, calls, onBeat, onProgress } = parts;
    this.#options = parts;
    const { resumeMs, maxRetainedBytes: maxBytes } = options;
    this.cut = new CutCalls(clock, resumeMs);
    this.retention = new Retention({ clock, resumeMs, maxBytes, calls, waiting: this.waiting, onProgress });
    this.sender = new ReplySender(
      context,
      sink,
      () => this.#pumpWaiting(),
      (frame, error) => this.#onRefused(frame.correlationId ?? "", error),
    );
    this.#beat = new AliveBeat({
      clock: context.clock,
      intervalMs: options.keepAliveMs,
      replies: this.sender,
      calls,
      ended: this.ended,
      onBeat,
    });
  }

  /** Calls that are over, and kept for callers that may have missed the end. */
  get ended(): ReadonlyMap<string, EndedCall> {
    return this.retention.ended;
  }

  /** Whether the request has run here, and its end is kept. */
  keeps({ id, clientId }: IncomingRequest): boolean {
    return this.ended.get(id)?.frames.request.clientId === clientId;
  }

  /** Calls that are over, and that a drain waits for; with its time over only if there is a link to send them on. */
  get left(): number {
    return this.#isInterrupted && this.sender.frames.link === undefined ? 0 : this.retention.left;
  }

  get tables(): Readonly<Record<string, number>> {
    return {
      unsent: this.sender.unsent,
      held: this.waiting.size,
      cut: this.cut.size,
      retained: this.ended.size,
      retainedBytes: this.retention.bytes,
    };
  }

  start(): void {
    const { connection } = this.#options.context;
    connection.onReturned.add(this.#onReturned);
    connection.onLink.add(this.#onLink);
    if (connection.link !== undefined) this.#onLink(connection.link);
  }

  /** There are calls to be told of. */
  beat(): void {
    this.#beat.start();
  }

  /** The call is over: nothing more is sent for it. */
  forget(call: ServerCall): void {
    this.waiting.delete(call);
  }

  /** The caller has the end of the call, or does not want it. */
  release(id: string): void {
    this.retention.release(id);
  }

  /** The time of a drain is over. */
  interrupt(): void {
    this.#isInterrupted = true;
    this.retention.interrupt();
    this.#options.onProgress();
  }

  /** Nobody here knows the call, or has what is asked for. Without room it is asked again. */
  refuseResume(id: string, { inbox, number }: ResumeOf): void {
    if (!this.sender.frames.hasRoom) return;
    this.sender.send(inbox, {
      type: FRAME.error,
      correlationId: id,
      headers: { [FRAME_HEADER.version]: "V5", [FRAME_HEADER.resume]: String(number) },
      contentType: JSON_TYPE,
      body: encodeError(lostError(), false),
    });
  }

  stop(): void {
    const { connection } = this.#options.context;
    this.#beat.stop();
    connection.onReturned.delete(this.#onReturned);
    connection.onLink.delete(this.#onLink);
    this.#forgetLink();
    this.retention.clear();
  }

  #onRefused(id: string, error: MessagingError): void {
    const frames = (this.#options.calls.get(id) ?? this.ended.get(id))?.frames;
    if (error.code !== "UNAVAILABLE" || frames?.isResumable !== true) this.#end(id, error);
    else if (!frames.isOnHold) this.#hold(frames, error);
  }

  /** Perhaps not for what the frame is: the link is about to be lost, and the next will say it all again. */
  #hold(frames: ResponseFrames, error: MessagingError): void {
    const { context, clock } = this.#options;
    const { link } = context.connection;
    frames.isOnHold = true;
    clock.setTimer(LOSS_MS, () => {
      if (!frames.isOnHold || link === undefined || link.lost.hasEnded) return;
      frames.isOnHold = false;
      this.#end(frames.request.id, error);
    });
  }

  /** Sent again it would be refused again. The end that says so is not told yet, perhaps. */
  #end(id: string, error: MessagingError): void {
    const call = this.#options.calls.get(id);
    const ended = this.ended.get(id);
    const frames = call?.frames ?? ended?.frames;
    frames?.sent.drop(frames.whole);
    if (call !== undefined) call.stop(error, true);
    else if (error.code !== "UNAVAILABLE") this.release(id);
    else {
      frames?.finish(error, true);
      ended?.pump();
    }
  }

  /** A frame found no inbox: its client is gone, or has another. */
  readonly #onReturned = (frame: WireMessage): boolean => {
    const { context, sink, calls } = this.#options;
    const { replyTo, headers, correlationId = "" } = frame;
    if (replyTo !== sink || headers[FRAME_HEADER.node] !== context.nodeId) return false;
    if (frame.type === FRAME.alive) return this.#onAliveReturned(correlationId, frame.messageId);
    const call = calls.get(correlationId);
    const ended = call === undefined ? this.ended.get(correlationId) : undefined;
    const frames = call?.frames ?? ended?.frames;
    if (frames === undefined) return false;
    // Without an inbox to be asked in, nobody uploads.
    const meaning = call?.isUploading === true ? "never-reached" : frames.returned(headers);
    if (meaning !== "stale") call?.onReturned(meaning === "never-reached");
    if (meaning === "never-reached") this.release(correlationId);
    else if (ended !== undefined) this.retention.onChange(ended);
    return true;
  };

  #onAliveReturned(inbox: string, alive: string): boolean {
    const running = [...this.#options.calls.values()].filter(({ frames }) => frames.inbox === inbox);
    for (const call of running) call.onReturned(call.frames.returnedAlive(alive) === "never-reached");
    const ended = [...this.ended.values()].filter(({ frames }) => frames.inbox === inbox);
    for (const call of ended) {
      if (call.frames.returnedAlive(alive) === "never-reached") this.release(call.frames.request.id);
      else this.retention.onChange(call);
    }
    return running.length + ended.length > 0;
  }

  readonly #onLink = (link: Link): void => {
    const { calls } = this.#options;
    this.sender.flush();
    for (const call of [...calls.values()]) call.repeat();
    for (const call of this.ended.values()) call.repeat();
    this.#pumpWaiting();
    this.#forgetLink();
    this.#forgetLink = link.lost.onEnd(() => {
      const error = new MessagingError("UNAVAILABLE", "the server has lost its link, and responses perhaps with it");
      // They are not numbered: a gap would pass for a clean end.
      for (const call of [...calls.values()]) if (call.request.version === "V4") call.stop(error, true);
    });
  };

  /** By turns: one that still waits is behind the others then. */
  #pumpWaiting(): void {
    this.sender.flush();
    this.#beat.pump();
    for (let left = this.waiting.size; left > 0 && this.sender.frames.hasRoom; left -= 1) {
      const [call] = this.waiting;
      if (call === undefined) return;
      this.waiting.delete(call);
      call.pump();
    }
  }
}
