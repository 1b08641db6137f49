import type { WireDelivery } from "../../driver/driver.js";
import { MessagingError } from "../../errors/messaging-error.js";
import type { CloseOptions } from "../../ports/lifecycle.js";
import type { Priority } from "../../ports/message.js";
import type { ConsumerState } from "../../ports/queue.js";
import type { RequestMessage, RequestServer, RequestSink } from "../../ports/request-sink.js";
import type { CoreContext } from "../core-context.js";
import { STOP_TIMEOUT_MS, within } from "../drain.js";
import { SupervisedPort } from "../supervised-port.js";
import { asMessagingError } from "./as-messaging-error.js";
import { ControlHearing } from "./control-hearing.js";
import { HeldBack } from "./held-back.js";
import { type IncomingRequest, readRequest, toRequestMessage } from "./incoming-request.js";
import { LaneConsumers, SET } from "./lane-consumers.js";
import { LaneFlow } from "./lane-flow.js";
import { setLanePrefetch } from "./lane-prefetch.js";
import { observeCallEnd } from "./observe-call-end.js";
import { placeOf, QueuePlaces } from "./queue-places.js";
import { ServedSink } from "./served-sink.js";
import { ServerCall } from "./server-call.js";
import type { ServerCallHost } from "./server-call-host.js";
import { ServerReplies } from "./server-replies.js";
import { SharedTimers } from "./shared-timers.js";
import type { ResolvedServeOptions } from "./sink-options.js";
import { UploadIntake } from "./upload-intake.js";

/** A request that may run as soon as its lane has room. */
interface Taken {
  readonly request: IncomingRequest;
  readonly wire: WireDelivery;
  readonly life: LaneConsumers;
}

/** Serves one sink: takes requests, runs calls, hears credit and aborts, and comes back after every loss. */
export class PortableRequestServer implements RequestServer {
  readonly closed: Promise<Error | undefined>;
  readonly #context: CoreContext;
  readonly #name: string;
  readonly #sink: ServedSink;
  readonly #options: ResolvedServeOptions;
  readonly #port: SupervisedPort<LaneConsumers>;
  readonly #control: ControlHearing;
  readonly #replies: ServerReplies;
  readonly #host: ServerCallHost<ServerCall>;
  readonly #flow: LaneFlow<Taken>;
  readonly #places: QueuePlaces;
  readonly #uploads: UploadIntake;
  readonly #calls = new Map<string, ServerCall>();
  #isStarted = false;

  constructor(context: CoreContext, name: string, sink: RequestSink<unknown, unknown>, options: ResolvedServeOptions) {
    const { clock } = context;
    this.#context = context;
    this.#name = name;
    this.#sink = new ServedSink({ context, name, sink, leaveMs: options.keepAliveMs, calls: this.#calls });
    this.#options = options;
    const timers = new SharedTimers(clock);
    this.#replies = new ServerReplies({
      context,
      sink: name,
      options,
      clock: timers,
      calls: this.#calls,
      onBeat: (call) => this.#settleLongRunning(call),
      onProgress: () => this.#port.progress(),
    });
    const { sender, retention, waiting, cut } = this.#replies;
    this.#places = new QueuePlaces(context, name, sender, () => this.#port.progress());
    this.#host = {
      ...{ options, clock: timers, replies: sender, retention, waiting, cut, heldBack: new HeldBack() },
      onOver: (call, error, isForced) => this.#onOver(call, error, isForced),
    };
    this.#uploads = new UploadIntake(context, sender, name);
    this.#flow = new LaneFlow<Taken>({
      clock,
      concurrency: options.concurrency,
      isLive: () => this.#port.life !== undefined,
      start: (_lane, taken) => this.#start(taken),
      bare: (lane) => this.#bare(lane),
      setPrefetch: (lane, prefetch) => this.#setPrefetch(lane, prefetch),
    });
    this.#control = new ControlHearing(
      context,
      name,
      this.#calls,
      this.#replies,
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
        for (const { request, wire } of this.#flow.stop()) this.#places.putBack(request.priority, wire);
      },
      left: () => this.#calls.size + this.#places.settling + this.#replies.left,
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
      ...this.#replies.tables,
      leaving: this.#sink.leaving,
      loans: this.#flow.capacity.loans.length,
    };
  }

  /** Resolves once requests can arrive. */
  async start(): Promise<void> {
    const { signal } = this.#options;
    this.#replies.start();
    this.#isStarted = true;
    try {
      // First, so that no call runs whose credit nobody hears.
      await this.#control.start(signal);
      await this.#port.start(signal);
    } catch (error) {
      await this.close({ drainMs: this.#port.failedDrainMs });
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
    if (running !== undefined) this.#adopt(running, { request, wire, life });
    // Its caller is told what came of it.
    else if (this.#replies.keeps(request)) this.#places.drop(wire, "it has run here already");
    // Another server of this node runs it: a refusal would be taken for its own.
    else if (this.#control.runsBeside(request.id)) this.#places.drop(wire, "it runs here already");
    else if (this.#control.wasAborted(request.id))
      this.#places.drop(wire, "its caller gave it up before it was started");
    else if (wire.redelivered && !request.isIdempotent) this.#places.refuseRedelivered(wire);
    else this.#flow.offer(lane, { request, wire, life });
  }

  /** It runs here still: only its place in the queue was lost, and is found again. */
  #adopt(call: ServerCall, { request, wire, life }: Taken): void {
    if (call.request.clientId !== request.clientId) {
      this.#places.drop(wire, "it has the correlation id of another client's call");
      return;
    }
    const before = call.place.take();
    call.place.hold(placeOf(wire), life);
    if (before !== undefined) this.#places.settle(before);
    this.#flow.adjust(call.request.priority);
  }

  #start(taken: Taken): void {
    const { request, wire, life } = taken;
    const running = this.#calls.get(request.id);
    if (running !== undefined) {
      // It came twice while both waited for room.
      this.#adopt(running, taken);
      this.#flow.release(request.priority, () => {});
      return;
    }
    if (this.#replies.keeps(request)) {
      this.#flow.release(request.priority, () => this.#places.drop(wire, "it has run here already"));
      return;
    }
    // One that was delivered again may have run here before, its answers still on their way.
    const run = wire.redelivered ? this.#context.random.uuid() : undefined;
    const call = new ServerCall(this.#host, request, run);
    call.place.hold(placeOf(wire), life);
    this.#calls.set(request.id, call);
    this.#replies.beat();
    // An abort may have come while it waited for room.
    if (this.#control.wasAborted(request.id))
      call.stop(new MessagingError("ABORTED", "the caller has given the call up"), false);
    else if (request.totalBytes === undefined) this.#run(call, wire.message.body);
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
    this.#sink.signal(message, call);
  }

  #onOver(call: ServerCall, error: MessagingError | undefined, isForced: boolean): void {
    const { request, callId, frames, startedAt: since } = call;
    if (this.#calls.get(request.id) === call) this.#calls.delete(request.id);
    this.#replies.forget(call);
    this.#uploads.forget(call);
    const end = { side: "server", since, error, responses: frames.sequence } as const;
    observeCallEnd(this.#context, { sink: this.#name, callId }, end);
    if (isForced) this.#sink.abort(call);
    const place = call.place.take();
    this.#flow.release(request.priority, (after) => {
      if (place !== undefined) this.#places.settle(place, after);
    });
    this.#port.progress();
  }

  #stopAll(): void {
    this.#replies.interrupt();
    const error = new MessagingError("UNAVAILABLE", `${this.#name}: the server is stopping`);
    for (const call of [...this.#calls.values()]) call.stop(error, true);
  }

  /** Calls that run without a delivery of the present consumers. */
  #bare(lane: Priority): number {
    return this.#flow.capacity.running(lane) - (this.#port.life?.resource.held[lane] ?? 0);
  }

  #setPrefetch(lane: Priority, prefetch: number): Promise<void> {
    const life = this.#port.life;
    if (life === undefined || this.#port.isClosing) return SET;
    return setLanePrefetch(this.#context, this.#name, life, lane, prefetch);
  }

  /** A broker does not wait for ever for a settlement. */
  #settleLongRunning(call: ServerCall): void {
    if (!call.place.isHeld || this.#context.clock.now() - call.startedAt < this.#options.settleAfterMs) return;
    const place = call.place.take();
    const lane = call.request.priority;
    const lowered = this.#setPrefetch(lane, this.#flow.prefetch(lane));
    if (place !== undefined) this.#places.settle(place, lowered);
  }

  /** What waited for room came through a life that is over: the broker gives it out again. */
  #dropWaiting(): void {
    for (const { wire } of this.#flow.takeWaiting()) void wire.settle("release");
  }

  /** One part of two that is back is no news: the other will tell. */
  #observeState(error: Error | undefined): void {
    const isHalfBack = error === undefined && this.state === "recovering";
    if (this.#isStarted && !isHalfBack)
      this.#context.observe({ type: "request-server", sink: this.#name, state: this.state, error });
  }

  /** The very last step: nobody is left who could be told anything. */
  async #shut(): Promise<void> {
    this.#flow.stop();
    this.#sink.close();
    this.#replies.stop();
    // A broker that says nothing must not hold up the close.
    await within(this.#context.clock, Promise.all([this.#control.close(), this.#uploads.close()]), STOP_TIMEOUT_MS);
    this.#replies.sender.close();
  }
}
