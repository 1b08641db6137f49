import { MessagingError } from "../../errors/messaging-error.js";
import type { Clock } from "../../ports/clock.js";
import type { RequestContext, ResponseMessage } from "../../ports/request-sink.js";
import { type Deferred, deferred } from "../../util/deferred.js";
import { Ring } from "../../util/ring.js";
import { OVER } from "./accepted.js";
import { asMessagingError } from "./as-messaging-error.js";
import type { ResolvedCallOptions } from "./call-options.js";
import { type CallerListener, CallSignal, type WatchedContext } from "./call-signal.js";
import { Deadline } from "./deadline.js";
import { type GateOwner, ResponseGate } from "./response-gate.js";
import type { SharedTimers } from "./shared-timers.js";

interface Unread<Res> {
  readonly response: ResponseMessage<Res>;
  readonly bytes: number;
}

/** How a call ended. */
interface Final {
  readonly error: MessagingError | undefined;
}

/** The caller's end of a call: holds responses until they are taken, and gives credit as they are. */
export class CallerContext<Res> implements RequestContext<Res>, WatchedContext, GateOwner<Unread<Res>> {
  readonly callId: string;
  readonly window: number;
  readonly windowBytes: number;
  readonly allowKeepAlive: boolean;
  readonly #clock: Clock;
  readonly #stallMs: number;
  readonly #respondExtendsMs: number;
  readonly #signal = new CallSignal();
  readonly #deadline: Deadline;
  readonly #gate: ResponseGate<Unread<Res>>;
  readonly #unread = new Ring<Unread<Res>>();
  readonly #sizeOf: (body: Res) => number;
  #unreadBytes = 0;
  #taken = 0;
  /** How many responses a reader waits for. */
  #wanted = 0;
  #onTaken: ((taken: number) => void) | undefined;
  /** Set by the sink: no more responses; what waits in the gate is still let in. */
  #closing: Final | undefined;
  /** Nothing comes any more. */
  #final: Final | undefined;
  /** Readers that wait for something to change. */
  #news: Promise<void> | undefined;
  #tellNews: (() => void) | undefined;
  #ended: Deferred<void> | undefined;
  #whenOver: (() => void) | undefined;

  /** `window` 0: one-way. */
  constructor(
    timers: SharedTimers,
    callId: string,
    options: ResolvedCallOptions,
    sizeOf: (body: Res) => number,
    window = options.window,
  ) {
    this.callId = callId;
    this.window = window;
    this.windowBytes = options.windowBytes;
    this.allowKeepAlive = options.allowKeepAlive;
    this.#clock = timers;
    this.#stallMs = options.stallMs;
    this.#respondExtendsMs = options.respondExtendsMs;
    this.#sizeOf = sizeOf;
    this.#deadline = new Deadline(timers, options.timeoutMs, this);
    this.#gate = new ResponseGate<Unread<Res>>(this);
  }

  get deadline(): number {
    return this.#deadline.endsAt;
  }

  get signal(): AbortSignal {
    return this.#signal.signal;
  }

  get ended(): Promise<void> {
    if (this.#ended === undefined) {
      this.#ended = deferred<void>();
      // A caller who does not ask is not told: the loop that reads throws the same error.
      this.#ended.promise.catch(() => undefined);
      this.#settleEnded();
    }
    return this.#ended.promise;
  }

  /** Set once nothing comes any more; unread responses may be left. */
  get final(): Final | undefined {
    return this.#final;
  }

  get unread(): number {
    return this.#unread.size;
  }

  keepAlive(ms: number): boolean {
    if (this.isOver) return false;
    if (!this.allowKeepAlive) return true;
    this.#deadline.extend(ms);
    return true;
  }

  /** `bytes`: its size, where whoever hands it over knows better than its body shows. */
  respond(response: ResponseMessage<Res>, bytes = this.#sizeOf(response.body)): Promise<boolean> {
    if (this.isOver || this.window === 0) return OVER;
    if (this.allowKeepAlive) this.#deadline.extend(this.#respondExtendsMs);
    return this.#gate.offer({ response, bytes });
  }

  end(): void {
    this.#close({ error: undefined });
  }

  fail(error: MessagingError): void {
    // A sink without types may say anything; no error would be a clean end.
    this.#close({ error: asMessagingError(error) });
  }

  get origin(): undefined {
    return undefined;
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

  onDeadline(): void {
    this.cancel(new MessagingError("TIMEOUT", "call: not ended within its time"));
  }

  /** For the gate. */
  get maxWaiting(): number {
    return this.window;
  }

  hasCredit(): boolean {
    const { size } = this.#unread;
    return size < this.window && (size === 0 || this.#unreadBytes < this.windowBytes);
  }

  pass(unread: Unread<Res>): void {
    if (this.#unread.size === 0) this.#deadline.hold(this.#stallMs);
    this.#unread.push(unread);
    this.#unreadBytes += unread.bytes;
    if (this.#wanted > this.#unread.size) this.#onTaken?.(this.#taken);
    this.#tell();
  }

  onWaiting(): void {}

  onOverflow(error: MessagingError): void {
    this.fail(error);
  }

  /** Called once, when nothing comes any more. */
  whenOver(listener: () => void): void {
    this.#whenOver = listener;
  }

  /** Ends the call from this side: the sink is told by the signal, the reader by the error. */
  cancel(error: MessagingError): void {
    if (this.#final !== undefined) return;
    // One that the sink has ended already is not aborted any more.
    const isEnded = this.#closing !== undefined;
    this.#finish({ error });
    if (!isEnded) this.#signal.abort(error);
    else this.#signal.over(undefined);
  }

  /** As `cancel`, and what is unread is dropped. */
  discard(error: MessagingError): void {
    this.cancel(error);
    if (this.#unread.size === 0) return;
    // Whoever reads on must not take the end for a clean one.
    this.#final = { error };
    this.#unread.clear();
    this.#unreadBytes = 0;
  }

  /** The next response; undefined when none is here now. */
  take(): ResponseMessage<Res> | undefined {
    const unread = this.#unread.shift();
    if (unread === undefined) return undefined;
    const { response, bytes } = unread;
    this.#unreadBytes -= bytes;
    this.#taken += 1;
    if (this.#final !== undefined) return response;
    if (this.#unread.size === 0) this.#deadline.release();
    else this.#deadline.hold(this.#stallMs);
    this.#onTaken?.(this.#taken);
    this.#gate.pump();
    if (this.#closing !== undefined && this.#gate.held === 0) {
      this.#finish(this.#closing);
      this.#signal.over(undefined);
    }
    return response;
  }

  /** Resolves when something has come or the call is over; at once if so. */
  news(): Promise<void> {
    if (this.#unread.size > 0 || this.#final !== undefined) return Promise.resolve();
    return this.#change();
  }

  /** As `news`, for at least so many responses, and for at most so long; shorter if there is no room for so many. */
  async enough(count: number, waitMs: number): Promise<void> {
    let isLate = false;
    const cancel = this.#clock.setTimer(waitMs, () => {
      isLate = true;
      this.#tell();
    });
    this.#wanted = count;
    while (this.#unread.size < count && this.#final === undefined && this.hasCredit() && !isLate) {
      const change = this.#change();
      // The sink must not keep credit back that is waited for.
      this.#onTaken?.(this.#taken);
      await change;
    }
    this.#wanted = 0;
    cancel();
  }

  get isOver(): boolean {
    return this.#final !== undefined || this.#closing !== undefined;
  }

  #close(final: Final): void {
    if (this.isOver) return;
    if (this.#gate.held > 0) {
      this.#closing = final;
      return;
    }
    this.#finish(final);
    this.#signal.over(undefined);
  }

  #finish(final: Final): void {
    this.#final = final;
    this.#deadline.cancel();
    this.#gate.close();
    this.#settleEnded();
    this.#whenOver?.();
    this.#tell();
  }

  #settleEnded(): void {
    if (this.#final === undefined || this.#ended === undefined) return;
    const { error } = this.#final;
    if (error === undefined) this.#ended.resolve();
    else this.#ended.reject(error);
  }

  #change(): Promise<void> {
    this.#news ??= new Promise<void>((resolve) => {
      this.#tellNews = resolve;
    });
    return this.#news;
  }

  #tell(): void {
    const tell = this.#tellNews;
    this.#news = undefined;
    this.#tellNews = undefined;
    tell?.();
  }
}
