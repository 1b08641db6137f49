import type { WireDelivery, WireMessage } from "../../driver/driver.js";
import { MessagingError } from "../../errors/messaging-error.js";
import type { CloseOptions } from "../../ports/lifecycle.js";
import type { Priority } from "../../ports/message.js";
import type { ConsumerState } from "../../ports/queue.js";
import type { RequestMessage, RequestServer, RequestSink } from "../../ports/request-sink.js";
import { toError } from "../../util/error-text.js";
import type { CoreContext } from "../core-context.js";
import { STOP_TIMEOUT_MS, within } from "../drain.js";
import { Limit } from "../limit.js";
import type { Link } from "../managed-connection.js";
import { SupervisedPort } from "../supervised-port.js";
import { AliveBeat } from "./alive-beat.js";
import { asMessagingError } from "./as-messaging-error.js";
import { ControlHearing } from "./control-hearing.js";
import { FRAME, FRAME_HEADER } from "./frames.js";
import { type IncomingRequest, readRequest, toRequestMessage } from "./incoming-request.js";
import { LaneConsumers } from "./lane-consumers.js";
import { LaneFlow } from "./lane-flow.js";
import { QueuePlaces } from "./queue-places.js";
import { ReplySender } from "./reply-sender.js";
import { type HeldDelivery, ServerCall, type ServerCallHost } from "./server-call.js";
import { SharedTimers } from "./shared-timers.js";
import { abortSink, signalSink } from "./signal-sink.js";
import type { ResolvedServeOptions } from "./sink-options.js";
import { UploadIntake } from "./upload-intake.js";

/** A broker that does not answer must not block the next change: the consumers are made anew. */
const SET_PREFETCH_TIMEOUT_MS = 10_000;

/** A request that may run as soon as its lane has room. */
interface Taken {
  readonly request: IncomingRequest;
  readonly held: HeldDelivery;
}

/** Serves one sink: takes requests, runs calls, hears credit and aborts, and comes back after every loss. */
export class PortableRequestServer implements RequestServer {
  readonly closed: Promise<Error | undefined>;
  readonly #context: CoreContext;
  readonly #name: string;
  readonly #sink: RequestSink<unknown, unknown>;
  readonly #options: ResolvedServeOptions;
  readonly #port: SupervisedPort<LaneConsumers>;
  readonly #control: ControlHearing;
  readonly #replies: ReplySender;
  readonly #host: ServerCallHost;
  readonly #flow: LaneFlow<Taken>;
  readonly #places: QueuePlaces;
  readonly #uploads: UploadIntake;
  readonly #beat: AliveBeat;
  readonly #calls = new Map<string, ServerCall>();
  /** Calls that wait for room on the link, the first in line first. */
  readonly #waiting = new Set<ServerCall>();
  /** Calls that were told to stop and whose sink has not shown that it knows. */
  readonly #leaving = new Map<ServerCall, () => void>();
  #isStarted = false;
  #forgetLink: () => void = () => {};

  constructor(context: CoreContext, name: string, sink: RequestSink<unknown, unknown>, options: ResolvedServeOptions) {
    const { clock } = context;
    this.#context = context;
    this.#name = name;
    this.#sink = sink;
    this.#options = options;
    this.#replies = new ReplySender(
      context,
      name,
      () => this.#pumpWaiting(),
      (frame, error) => this.#calls.get(frame.correlationId ?? "")?.stop(error, true),
    );
    this.#places = new QueuePlaces(context, name, this.#replies, () => this.#port.progress());
    this.#host = {
      options,
      clock: new SharedTimers(clock),
      replies: this.#replies,
      waiting: this.#waiting,
      onOver: (call, error, isForced) => this.#onOver(call, error, isForced),
    };
    this.#uploads = new UploadIntake(context, this.#replies, name);
    this.#flow = new LaneFlow<Taken>({
      clock,
      concurrency: options.concurrency,
      isLive: () => this.#port.life !== undefined,
      start: (_lane, taken) => this.#start(taken),
      bare: (lane) => this.#bare(lane),
      setPrefetch: (lane, prefetch) => this.#setPrefetch(lane, prefetch),
    });
    this.#beat = new AliveBeat({
      clock,
      intervalMs: options.keepAliveMs,
      replies: this.#replies,
      calls: this.#calls,
      onBeat: (call) => this.#settleLongRunning(call),
    });
    this.#control = new ControlHearing(
      context,
      name,
      this.#calls,
      (error) => this.#observeState(error),
      (error) => this.#port.fail(error),
    );
    this.#port = new SupervisedPort<LaneConsumers>(context, {
      what: `serve ${name}`,
      owner: this,
      create: (link, onLost, lost) => {
        lost.onEnd(() => this.#dropWaiting());
        return LaneConsumers.open(link, onLost, {
          sink: name,
          prefetchOf: (lane) => this.#flow.prefetch(lane),
          onDelivery: (lane, delivery, life) => this.#onDelivery(lane, delivery, life),
        });
      },
      onState: (state, error) => {
        this.#observeState(error);
        if (state === "live") this.#flow.resume();
      },
      onClosing: () => {
        for (const { request, held } of this.#flow.stop()) this.#places.putBack(request.priority, held.wire);
      },
      left: () => this.#calls.size + this.#places.settling,
      interrupt: () => this.#stopAll(),
      abandon: () => {},
    });
    this.closed = this.#port.closed.then(async (error) => {
      await this.#shut();
      return error;
    });
  }

  get inFlight(): number {
    return this.#calls.size;
  }

  get state(): ConsumerState {
    const { state } = this.#port;
    if (state !== "live") return state;
    return this.#control.isLive ? "running" : "recovering";
  }

  /** For tests and metrics: what is in the tables. */
  get tables(): Readonly<Record<string, number>> {
    return {
      running: this.#calls.size,
      waiting: this.#flow.waiting,
      settling: this.#places.settling,
      uploads: this.#uploads.size,
      unsent: this.#replies.unsent,
      leaving: this.#leaving.size,
      loans: this.#flow.capacity.loans.length,
    };
  }

  /** Resolves once requests can arrive. */
  async start(): Promise<void> {
    const { connection } = this.#context;
    const { signal } = this.#options;
    connection.onReturned.add(this.#onReturned);
    connection.onLink.add(this.#onLink);
    if (connection.link !== undefined) this.#onLink(connection.link);
    this.#isStarted = true;
    try {
      // First, so that no call runs whose credit nobody hears.
      await this.#control.start(signal);
      await this.#port.start(signal);
    } catch (error) {
      await this.close({ drainMs: 0 });
      throw error;
    }
  }

  async close(options: CloseOptions = {}): Promise<void> {
    await this.#port.close(options);
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onDelivery(lane: Priority, wire: WireDelivery, life: LaneConsumers): void {
    const { message } = wire;
    if (this.#port.isClosing) {
      this.#places.putBack(lane, wire);
      return;
    }
    let request: IncomingRequest;
    try {
      request = readRequest(message, lane, this.#options);
    } catch (error) {
      this.#places.refuse(wire, asMessagingError(error));
      return;
    }
    const running = this.#calls.get(request.id);
    if (running !== undefined) this.#adopt(running, request, { wire, life });
    // Another server of this node runs it: a refusal would be taken for its own.
    else if (this.#control.runsBeside(request.id)) this.#places.drop(wire, "it runs here already");
    else if (this.#control.wasAborted(request.id))
      this.#places.drop(wire, "its caller gave it up before it was started");
    else if (wire.redelivered && !request.isIdempotent) this.#places.refuseRedelivered(wire);
    else this.#flow.offer(lane, { request, held: { wire, life } });
  }

  /** It runs here still: only its place in the queue was lost, and is found again. */
  #adopt(call: ServerCall, request: IncomingRequest, held: HeldDelivery): void {
    if (call.request.clientId !== request.clientId) {
      this.#places.drop(held.wire, "it has the correlation id of another client's call");
      return;
    }
    const before = call.takeDelivery();
    call.hold(held);
    if (before !== undefined) this.#places.settle(before);
    this.#flow.adjust(call.request.priority);
  }

  #start({ request, held }: Taken): void {
    const running = this.#calls.get(request.id);
    if (running !== undefined) {
      // It came twice while both waited for room.
      this.#adopt(running, request, held);
      this.#flow.release(request.priority, () => {});
      return;
    }
    // One that was delivered again may have run here before, its answers still on their way.
    const run = held.wire.redelivered ? this.#context.random.uuid() : undefined;
    const call = new ServerCall(this.#host, request, run);
    call.hold(held);
    this.#calls.set(request.id, call);
    this.#beat.start();
    // An abort may have come while it waited for room.
    if (this.#control.wasAborted(request.id))
      call.stop(new MessagingError("ABORTED", "the caller has given the call up"), false);
    else if (request.totalBytes === undefined) this.#run(call, held.wire.message.body);
    else if (this.#uploads.size < this.#options.maxUploads) this.#uploads.begin(call, (body) => this.#run(call, body));
    else call.refuse(new MessagingError("REJECTED", `${this.#options.maxUploads} uploads are under way here already`));
  }

  #run(call: ServerCall, body: Uint8Array): void {
    let message: RequestMessage<unknown>;
    try {
      message = toRequestMessage(call.request, body, this.#options);
    } catch (error) {
      call.fail(asMessagingError(error));
      return;
    }
    call.isStarted = true;
    signalSink(this.#sink, message, call, (thrown) => this.#onThrown(call.callId, thrown));
  }

  #onThrown(callId: string, thrown: unknown): void {
    this.#context.observe({ type: "handler-failed", source: this.#name, messageId: callId, error: toError(thrown) });
  }

  #onOver(call: ServerCall, error: MessagingError | undefined, isForced: boolean): void {
    const { observe, clock } = this.#context;
    const { request, callId, responses, startedAt } = call;
    if (this.#calls.get(request.id) === call) this.#calls.delete(request.id);
    this.#waiting.delete(call);
    this.#uploads.forget(call);
    const ms = clock.now() - startedAt;
    observe({ type: "call", side: "server", sink: this.#name, callId, error, responses, ms });
    if (isForced) this.#tellSink(call);
    const delivery = call.takeDelivery();
    this.#flow.release(request.priority, (after) => {
      if (delivery !== undefined) this.#places.settle(delivery, after);
    });
    this.#port.progress();
  }

  /** Its signal has aborted. A sink that shows no sign of having noticed is reported. */
  #tellSink(call: ServerCall): void {
    const { callId } = call;
    if (!call.isStarted) return;
    const isAmbiguous = [...this.#calls.values()].some((other) => other.callId === callId);
    if (!isAmbiguous) abortSink(this.#sink, callId, (thrown) => this.#onThrown(callId, thrown));
    if (call.isLeft) return;
    const cancel = this.#context.clock.setTimer(this.#options.keepAliveMs, () => {
      this.#leaving.delete(call);
      if (!call.isLeft) this.#context.observe({ type: "call-abandoned", sink: this.#name, callId });
    });
    this.#leaving.set(call, cancel);
  }

  #stopAll(): void {
    const error = new MessagingError("UNAVAILABLE", `${this.#name}: the server is stopping`);
    for (const call of [...this.#calls.values()]) call.stop(error, true);
  }

  /** A frame found no inbox: its client is gone. */
  readonly #onReturned = (frame: WireMessage): boolean => {
    if (frame.replyTo !== this.#name || frame.headers[FRAME_HEADER.node] !== this.#context.nodeId) return false;
    const id = frame.correlationId ?? "";
    const error = new MessagingError("UNAVAILABLE", "the caller is gone");
    const isAlive = frame.type === FRAME.alive;
    const gone = [...this.#calls.values()].filter(({ request }) => (isAlive ? request.replyTo : request.id) === id);
    for (const call of gone) call.stop(error, false);
    return gone.length > 0;
  };

  readonly #onLink = (link: Link): void => {
    this.#replies.flush();
    for (const call of this.#calls.values()) call.repeatKeepAlive();
    this.#pumpWaiting();
    this.#forgetLink();
    this.#forgetLink = link.lost.onEnd(() => {
      const error = new MessagingError("UNAVAILABLE", "the server has lost its link, and responses perhaps with it");
      // They are not numbered: a gap would pass for a clean end.
      for (const call of [...this.#calls.values()]) if (call.request.version === "V4") call.stop(error, true);
    });
  };

  /** By turns: one that still waits is behind the others then. */
  #pumpWaiting(): void {
    this.#beat.pump();
    for (const call of [...this.#waiting]) {
      if (!this.#replies.frames.hasRoom) return;
      this.#waiting.delete(call);
      call.pump();
    }
  }

  /** Calls that run without a delivery of the present consumers. */
  #bare(lane: Priority): number {
    return this.#flow.capacity.running(lane) - (this.#port.life?.resource.held[lane] ?? 0);
  }

  async #setPrefetch(lane: Priority, prefetch: number): Promise<void> {
    const life = this.#port.life;
    if (life === undefined || this.#port.isClosing) return;
    const done = life.resource.setPrefetch(lane, prefetch);
    if (done === undefined) return;
    const { clock } = this.#context;
    const what = `set the prefetch of ${this.#name}`;
    const limit = new Limit({ clock, what, timeoutMs: SET_PREFETCH_TIMEOUT_MS, ended: [life.lost] });
    await limit.race(done).catch((error: unknown) => life.end(error));
    limit.dispose();
  }

  /** A broker does not wait for ever for a settlement. */
  #settleLongRunning(call: ServerCall): void {
    if (call.delivery === undefined || this.#context.clock.now() - call.startedAt < this.#options.settleAfterMs) return;
    const delivery = call.takeDelivery();
    const lane = call.request.priority;
    const lowered = this.#setPrefetch(lane, this.#flow.prefetch(lane));
    if (delivery !== undefined) this.#places.settle(delivery, lowered);
  }

  /** What waited for room came through a life that is over: the broker gives it out again. */
  #dropWaiting(): void {
    for (const { held } of this.#flow.takeWaiting()) void held.wire.settle("release");
  }

  /** One part of two that is back is no news: the other will tell. */
  #observeState(error: Error | undefined): void {
    const isHalfBack = error === undefined && this.state === "recovering";
    if (this.#isStarted && !isHalfBack)
      this.#context.observe({ type: "request-server", sink: this.#name, state: this.state, error });
  }

  /** The very last step: nobody is left who could be told anything. */
  async #shut(): Promise<void> {
    const { connection } = this.#context;
    this.#flow.stop();
    this.#beat.stop();
    for (const cancel of this.#leaving.values()) cancel();
    this.#leaving.clear();
    connection.onReturned.delete(this.#onReturned);
    connection.onLink.delete(this.#onLink);
    this.#forgetLink();
    // A broker that says nothing must not hold up the close.
    await within(this.#context.clock, Promise.all([this.#control.close(), this.#uploads.close()]), STOP_TIMEOUT_MS);
    this.#replies.clear();
  }
}
