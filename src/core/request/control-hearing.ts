import type { DriverResource, WireMessage } from "../../driver/driver.js";
import { MessagingError } from "../../errors/messaging-error.js";
import type { CoreContext, LocalServer } from "../core-context.js";
import { Limit } from "../limit.js";
import { Supervised } from "../supervised.js";
import { AbortsSeen } from "./aborts-seen.js";
import { controlName } from "./control-sender.js";
import { decodeClosing, FRAME, FRAME_HEADER, numberIn } from "./frames.js";
import { type ResumeOf, readResume } from "./resume-frame.js";
import type { ServerCall } from "./server-call.js";
import type { ServerReplies } from "./server-replies.js";

/** Hears credit, aborts and Resumes for the calls of one server: at once, whatever its capacity is busy with. */
export class ControlHearing {
  readonly #context: CoreContext;
  readonly #sink: string;
  readonly #calls: ReadonlyMap<string, ServerCall>;
  readonly #replies: ServerReplies;
  readonly #aborts: AbortsSeen;
  readonly #local: LocalServer;
  readonly #subscription: Supervised<DriverResource>;

  constructor(
    context: CoreContext,
    sink: string,
    calls: ReadonlyMap<string, ServerCall>,
    replies: ServerReplies,
    onState: (error: MessagingError | undefined) => void,
    onFailed: (error: MessagingError) => void,
  ) {
    const { clock, connection, random, driver, nodeId } = context;
    this.#context = context;
    this.#sink = sink;
    this.#calls = calls;
    this.#replies = replies;
    this.#aborts = new AbortsSeen(clock);
    this.#local = { hear: this.#onFrame, runs: (id) => calls.has(id) || replies.ended.has(id) };
    this.#subscription = new Supervised<DriverResource>({
      what: `hear credit for ${sink}`,
      connection,
      clock,
      random,
      toMessagingError: (error) => driver.toMessagingError(error),
      create: (link, onLost) => link.subscribe(controlName(sink), nodeId, this.#onFrame, onLost),
      onLive: () => onState(undefined),
      onRecovering: onState,
      onFailed,
    });
  }

  /** Resolves once live. */
  async start(signal: AbortSignal | undefined): Promise<void> {
    const { clock, connection, connectTimeoutMs, servers } = this.#context;
    servers.set(this.#sink, (servers.get(this.#sink) ?? new Set()).add(this.#local));
    const ended = [connection.ended, this.#subscription.stopped];
    const lastError = (): unknown => this.#subscription.lastError;
    const what = `serve ${this.#sink}`;
    const limit = new Limit({ clock, what, timeoutMs: connectTimeoutMs, signal, ended, lastError });
    try {
      await this.#subscription.start(limit);
    } finally {
      limit.dispose();
    }
  }

  async close(): Promise<void> {
    const { servers } = this.#context;
    const others = servers.get(this.#sink);
    others?.delete(this.#local);
    if (others?.size === 0) servers.delete(this.#sink);
    await this.#subscription.stop();
    this.#subscription.detach();
  }

  get isLive(): boolean {
    return this.#subscription.life !== undefined;
  }

  /** Whether a call was aborted before it was known here. */
  wasAborted(id: string): boolean {
    return this.#aborts.has(id);
  }

  /** Whether another server of this sink on this node runs the call, or keeps its end. */
  runsBeside(id: string): boolean {
    for (const server of this.#context.servers.get(this.#sink) ?? []) {
      if (server !== this.#local && server.runs(id)) return true;
    }
    return false;
  }

  readonly #onFrame = (frame: WireMessage): void => {
    const { type, correlationId = "", headers } = frame;
    const call = this.#calls.get(correlationId);
    const ended = call === undefined ? this.#replies.ended.get(correlationId) : undefined;
    const request = call?.request ?? ended?.frames.request;
    if (request !== undefined && headers[FRAME_HEADER.client] !== request.clientId) {
      this.#discard(frame, "it comes from another client than its call");
    } else if (type === FRAME.abort) {
      if (call !== undefined) call.stop(new MessagingError("ABORTED", "the caller has given the call up"), false);
      else if (ended !== undefined) this.#replies.release(correlationId);
      else if (correlationId !== "") this.#aborts.add(correlationId);
    } else if (type === FRAME.resume) this.#onResume(frame);
    else if (type === FRAME.credit) {
      if (headers[FRAME_HEADER.closing] === "true") this.#onClosing(frame);
      else this.#onCredit(frame, call);
    } else this.#discard(frame, "its type is not known");
  };

  #onCredit(frame: WireMessage, call: ServerCall | undefined): void {
    const { headers } = frame;
    const consumed = numberIn(headers, FRAME_HEADER.consumed);
    const grantedUpTo = numberIn(headers, FRAME_HEADER.grantedUpTo);
    if (consumed === undefined || grantedUpTo === undefined) this.#discard(frame, "credit without numbers");
    // For an unknown call, or an earlier run of it, it is late: an answer would overtake the End.
    else if (call?.frames.run === headers[FRAME_HEADER.run]) call?.onCredit(consumed, grantedUpTo);
  }

  #onClosing(frame: WireMessage): void {
    const ids = decodeClosing(frame.body);
    if (ids === undefined) this.#discard(frame, "a closing mark that cannot be read");
    for (const id of ids ?? []) {
      const isIts = this.#replies.ended.get(id)?.frames.request.clientId === frame.headers[FRAME_HEADER.client];
      if (isIts) this.#replies.release(id);
    }
  }

  #onResume(frame: WireMessage): void {
    const resume = readResume(frame);
    if (resume === undefined) {
      this.#discard(frame, "a Resume that cannot be read");
      return;
    }
    const { correlationId = "" } = frame;
    if (!this.#isKnown(correlationId, resume)) {
      // Another server of this node may know it.
      if (!this.runsBeside(correlationId)) this.#replies.refuseResume(correlationId, resume);
      return;
    }
    const call = this.#calls.get(correlationId) ?? this.#replies.ended.get(correlationId);
    call?.resume(resume);
  }

  /** A Resume that has been answered by one run is not for another. */
  #isKnown(id: string, { run, received }: ResumeOf): boolean {
    const call = this.#calls.get(id) ?? this.#replies.ended.get(id);
    // What was not sent to its end has not come.
    if (call === undefined || received > call.frames.whole) return false;
    return run === undefined || run === call.frames.run;
  }

  #discard(frame: WireMessage, reason: string): void {
    this.#context.observe({ type: "discarded", source: this.#sink, reason, messageId: frame.messageId });
  }
}
