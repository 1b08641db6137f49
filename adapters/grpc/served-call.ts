import { MessagingError } from "../../src/errors/messaging-error.js";
import type { Cancel } from "../../src/ports/clock.js";
import type { RequestContext, RequestMessage, RequestSink, ResponseMessage } from "../../src/ports/request-sink.js";
import type { CallOutput } from "./call-output.js";
import { type CallRequest, MAX_TIMEOUT_MS } from "./call-request.js";
import {
  abortSink,
  asMessagingError,
  Deadline,
  OVER,
  ResponseGate,
  type SharedTimers,
  signalSink,
} from "./call-rules.js";
import { Credit } from "./credit.js";
import { responseFault } from "./response-fault.js";

/** How far each response moves the deadline. */
const RESPONSE_EXTENDS_MS = 10_000;
/** How long responses that wait for their reader hold up the deadline, counted anew from each one taken. */
const STALL_MS = 300_000;

export interface ServedCallOptions {
  readonly clock: SharedTimers;
  readonly callId: string;
  readonly request: CallRequest;
  readonly sink: RequestSink;
  readonly output: CallOutput;
  readonly timeoutMs: number;
  /** The deadline of the rpc, which nothing moves; `Infinity` if it has none. */
  readonly latest: number;
  /** There is no credit on this rpc: a response is taken when the transport has taken it. */
  readonly takenByTransport: boolean;
  /** The sink is done with it, or was told to be. */
  onOver(): void;
}

/** A call of a gRPC client, as the sink sees it. */
export class ServedCall implements RequestContext {
  readonly callId: string;
  readonly window: number;
  readonly windowBytes: number;
  readonly allowKeepAlive: boolean;
  readonly #options: ServedCallOptions;
  readonly #output: CallOutput;
  readonly #abort = new AbortController();
  readonly #deadline: Deadline;
  readonly #cancelLatest: Cancel;
  readonly #gate: ResponseGate<ResponseMessage<Uint8Array>>;
  readonly #credit: Credit;
  #onTaken: ((taken: number) => void) | undefined;
  /** A keep-alive that waits for room on the stream: until when. */
  #aliveUntil: number | undefined;
  /** Said by the sink: the end, or an error; what waits for credit still goes before it. */
  #closing: { readonly error: MessagingError | undefined } | undefined;
  #isOver = false;

  constructor(options: ServedCallOptions) {
    const { clock, request, timeoutMs, latest, output } = options;
    this.#options = options;
    this.#output = output;
    this.callId = options.callId;
    this.window = request.window;
    this.windowBytes = request.windowBytes;
    this.allowKeepAlive = request.allowKeepAlive;
    this.#credit = new Credit(request.window, request.windowBytes);
    this.#deadline = new Deadline(clock, timeoutMs, { onDeadline: () => this.#timeOut() });
    const left = latest - clock.now();
    this.#cancelLatest =
      latest === Number.POSITIVE_INFINITY ? () => {} : clock.setTimer(Math.max(0, left), () => this.#timeOut());
    this.#gate = new ResponseGate<ResponseMessage<Uint8Array>>({
      maxWaiting: Math.max(1, this.window),
      hasCredit: () => this.#credit.hasCredit && !output.isFull,
      pass: (response) => this.#send(response),
      onOverflow: (error) => this.fail(error),
      onWaiting: (isWaiting) => (isWaiting ? this.#deadline.hold(STALL_MS) : this.#deadline.release()),
    });
  }

  get deadline(): number {
    return Math.min(this.#deadline.endsAt, this.#options.latest);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  start(message: RequestMessage<Uint8Array>): void {
    signalSink(this.#options.sink, message, this);
  }

  keepAlive(ms: number): boolean {
    if (this.#isEnding) return false;
    if (!this.allowKeepAlive || !(ms > 0)) return true;
    const extendMs = Math.min(Math.ceil(ms), MAX_TIMEOUT_MS);
    this.#deadline.extend(extendMs);
    // Told even where it moves nothing here: the client's deadline is another one. What finds no room is told once.
    this.#aliveUntil = Math.max(this.#aliveUntil ?? 0, this.#options.clock.now() + extendMs);
    this.#tellAlive();
    return true;
  }

  respond(response: ResponseMessage<Uint8Array>): Promise<boolean> {
    if (this.#isEnding || this.window === 0) return OVER;
    const fault = responseFault(response);
    if (fault !== undefined) {
      this.fail(new MessagingError("REMOTE", `the response cannot be sent: ${fault}`));
      return OVER;
    }
    if (this.allowKeepAlive) this.#deadline.extend(RESPONSE_EXTENDS_MS);
    return this.#gate.offer(response);
  }

  end(): void {
    this.#close({ error: undefined });
  }

  fail(error: MessagingError): void {
    // A sink without types may say anything; no error would be a clean end.
    this.#close({ error: asMessagingError(error) });
  }

  onTaken(listener: (taken: number) => void): void {
    this.#onTaken = listener;
  }

  /** Credit: so many were taken in all. Throws `INVALID_ARGUMENT` for more than were sent. */
  take(taken: number): void {
    if (this.#isOver || !this.#credit.take(taken)) return;
    if (this.#gate.isWaiting) this.#deadline.hold(STALL_MS);
    this.#onTaken?.(taken);
    this.#pump();
  }

  /** The transport took a frame. */
  written(): void {
    if (this.#isOver) return;
    if (this.#options.takenByTransport) this.take(this.#credit.taken + 1);
    this.#tellAlive();
    this.#pump();
  }

  /** Over, and the client's end is told or has told us: what is left to do is to tell the sink. */
  abort(error: MessagingError): void {
    if (this.#isOver) return;
    const isEnded = this.#closing !== undefined;
    this.#stop();
    // One that the sink has ended already is not aborted any more.
    if (isEnded) return;
    this.#abort.abort(error);
    // Best effort, and the signal has told it already.
    abortSink(this.#options.sink, this.callId);
  }

  get #isEnding(): boolean {
    return this.#isOver || this.#closing !== undefined;
  }

  #send(response: ResponseMessage<Uint8Array>): void {
    this.#output.respond(this.#credit.send(response.body.byteLength), response);
  }

  #pump(): void {
    this.#gate.pump();
    if (this.#closing !== undefined && this.#gate.held === 0) this.#finish(this.#closing.error);
  }

  #close(closing: { readonly error: MessagingError | undefined }): void {
    if (this.#isEnding) return;
    if (this.#gate.held > 0) this.#closing = closing;
    else this.#finish(closing.error);
  }

  #finish(error: MessagingError | undefined): void {
    if (this.#isOver) return;
    this.#stop();
    if (error === undefined) this.#output.end(this.#credit.sent);
    else this.#output.fail(error);
  }

  #timeOut(): void {
    const error = new MessagingError("TIMEOUT", "the call did not end within its time");
    this.abort(error);
    this.#output.fail(error);
  }

  #stop(): void {
    this.#isOver = true;
    this.#deadline.cancel();
    this.#cancelLatest();
    this.#gate.close();
    this.#credit.clear();
    this.#options.onOver();
  }

  #tellAlive(): void {
    if (this.#aliveUntil === undefined || this.#output.isFull) return;
    const left = this.#aliveUntil - this.#options.clock.now();
    this.#aliveUntil = undefined;
    if (left > 0) this.#output.keepAlive(left);
  }
}
