import type { Driver } from "../driver/driver.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Broadcast, NodeId } from "../ports/broadcast.js";
import type { Capabilities } from "../ports/capabilities.js";
import type { Clock, Random } from "../ports/clock.js";
import type { Codec } from "../ports/codec.js";
import type { ConnectionState } from "../ports/connection.js";
import type { Inspection } from "../ports/inspection.js";
import type { Closeable, CloseOptions } from "../ports/lifecycle.js";
import type { Messaging, PortOptions, QueueOptions } from "../ports/messaging.js";
import type { Observer } from "../ports/observer.js";
import type { Queue } from "../ports/queue.js";
import type { RequestServer, RequestSink, RequestSinkOptions, ServeOptions } from "../ports/request-sink.js";
import { deferred } from "../util/deferred.js";
import { Closing } from "./closing.js";
import { bytesCodec } from "./codec.js";
import type { CoreContext } from "./core-context.js";
import { drained } from "./drain.js";
import { Limit } from "./limit.js";
import { ManagedConnection } from "./managed-connection.js";
import { MessageIds } from "./message-ids.js";
import { observeWith } from "./observe.js";
import { checkName, invalid } from "./options.js";
import { Outbox } from "./outbox.js";
import { PortableBroadcast } from "./portable-broadcast.js";
import { PortableInspection } from "./portable-inspection.js";
import { PortableQueue } from "./portable-queue.js";
import { ClientCalls } from "./request/client-calls.js";
import { RemoteSink } from "./request/remote-sink.js";
import { PortableRequestServer } from "./request/request-server.js";
import { resolveServeOptions, resolveSinkOptions } from "./request/sink-options.js";
import { registerTables } from "./request/tables.js";
import { systemClock } from "./system-clock.js";
import { systemRandom } from "./system-random.js";

export interface MessagingOptions {
  /** The broker. */
  readonly driver: Driver;
  /** Those that are in the list now: it is not looked at again. */
  readonly observers?: readonly Observer[] | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
  /** Default: the machine's. */
  readonly random?: Random | undefined;
  /** The ServerNodeID of this process. Default: a random UUID. */
  readonly nodeId?: NodeId | undefined;
  /** The longest that a first connect, or setting up a consumer or subscription, may take. Default 30,000. */
  readonly connectTimeoutMs?: number | undefined;
}

/** The three ports over one driver. Nothing is opened until something is used. */
export function createMessaging(options: MessagingOptions): Messaging {
  const { driver, observers = [], clock = systemClock, random = systemRandom, connectTimeoutMs = 30_000 } = options;
  if (!(connectTimeoutMs > 0)) throw invalid(["connectTimeoutMs must be > 0"]);
  const nodeId = options.nodeId ?? random.uuid();
  checkName("node", nodeId);
  const observe = observeWith([...observers]);
  const connection = new ManagedConnection({ driver, clock, random, observe, connectTimeoutMs });
  const outbox = new Outbox(driver, connection, clock);
  return new PortableMessaging({
    driver,
    connection,
    clock,
    random,
    observe,
    isObserved: observers.length > 0,
    messageIds: new MessageIds(random),
    nodeId,
    connectTimeoutMs,
    outbox,
    servers: new Map(),
    open: new Set<Closeable>(),
  });
}

class PortableMessaging implements Messaging {
  readonly nodeId: NodeId;
  readonly inspection: Inspection | undefined;
  readonly closed: Promise<Error | undefined>;
  readonly #context: CoreContext;
  /** What is called from here. */
  readonly #calls: ClientCalls;
  readonly #closed = deferred<Error | undefined>();
  readonly #closing: Closing;

  constructor(context: CoreContext) {
    this.#context = context;
    this.#calls = new ClientCalls(context);
    this.nodeId = context.nodeId;
    this.inspection = context.driver.capabilities.inspection === "none" ? undefined : new PortableInspection(context);
    this.closed = this.#closed.promise;
    this.#closing = new Closing(context.clock);
    registerTables(this, () => [this.#calls, ...context.open]);
  }

  get state(): ConnectionState {
    return this.#context.connection.state;
  }

  get blocked(): boolean {
    return this.#context.connection.blocked;
  }

  get capabilities(): Capabilities {
    return this.#context.driver.capabilities;
  }

  async open({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const { clock, connection, connectTimeoutMs } = this.#context;
    if (connection.state === "closing") throw new MessagingError("CLOSED", "open: this Messaging is closing");
    // The connect has its own timeout, with the better error; this one is for an open that joins a reconnect.
    const timeoutMs = connection.state === "reconnecting" ? connectTimeoutMs : undefined;
    const limit = new Limit({ clock, what: "open", timeoutMs, signal, ended: [connection.ended] });
    try {
      await connection.acquire(limit);
    } finally {
      limit.dispose();
    }
  }

  queue(name: string): Queue;
  queue<T = Uint8Array>(name: string, options: QueueOptions<T>): Queue<T>;
  queue<T>(name: string, { codec, lanes = false }: QueueOptions<T> = {}): Queue<T> {
    checkName("queue", name);
    if (typeof lanes !== "boolean") throw invalid([`lanes of queue ${name} must be true or false`]);
    return new PortableQueue<T>(this.#context, name, codec ?? (bytesCodec as unknown as Codec<T>), lanes);
  }

  broadcast(name: string): Broadcast;
  broadcast<T>(name: string, options: PortOptions<T>): Broadcast<T>;
  broadcast<T>(name: string, { codec }: PortOptions<T> = {}): Broadcast<T> {
    checkName("broadcast", name);
    return new PortableBroadcast<T>(this.#context, name, codec ?? (bytesCodec as unknown as Codec<T>));
  }

  requestSink(name: string): RequestSink;
  requestSink<Req, Res>(name: string, options: RequestSinkOptions<Req, Res>): RequestSink<Req, Res>;
  requestSink<Req, Res>(name: string, options: RequestSinkOptions<Req, Res> = {}): RequestSink<Req, Res> {
    checkName("queue", name);
    const resolved = resolveSinkOptions(options, this.capabilities);
    return new RemoteSink<Req, Res>(this.#context, this.#calls, name, resolved);
  }

  serve(name: string, sink: RequestSink): Promise<RequestServer>;
  serve<Req, Res>(name: string, sink: RequestSink<Req, Res>, options: ServeOptions<Req, Res>): Promise<RequestServer>;
  async serve<Req, Res>(
    name: string,
    sink: RequestSink<Req, Res>,
    options: ServeOptions<Req, Res> = {},
  ): Promise<RequestServer> {
    checkName("queue", name);
    checkSink(sink);
    const resolved = resolveServeOptions(options, this.capabilities);
    const server = new PortableRequestServer(this.#context, name, sink as RequestSink<unknown, unknown>, resolved);
    await server.start();
    return server;
  }

  close(options: CloseOptions = {}): Promise<void> {
    // A second close may be in more of a hurry than the first: its parts must know, too.
    if (this.#closing.isRequested) for (const part of this.#context.open) void part.close(options);
    return this.#closing.request(options, () => this.#drain(options));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * In order: no new consumers; handlers drain, free to publish and to call; calls that are left fail; what was published
   * is confirmed; the link closes.
   */
  async #drain(options: CloseOptions): Promise<void> {
    const { clock, connection, open, outbox } = this.#context;
    connection.beginClose();
    await Promise.all([...open].map((part) => part.close(options)));
    await this.#calls.close();
    await drained(clock, {
      over: this.#closing.over,
      stopped: Promise.resolve(),
      left: () => outbox.callers,
      onProgress: (listener) => outbox.refuse(listener),
      interrupt: () => connection.end(),
      abandon: () => {},
    });
    await connection.finishClose();
    this.#closed.resolve(undefined);
  }
}

function checkSink(sink: unknown): void {
  const { signal, abort } = (typeof sink === "object" && sink !== null ? sink : {}) as Record<string, unknown>;
  if (typeof signal === "function" && typeof abort === "function") return;
  throw invalid(["serve: the sink must have the methods signal and abort; sinkOf makes one of an async generator"]);
}
