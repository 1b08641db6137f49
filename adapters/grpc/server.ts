import { Server as GrpcServer, ServerCredentials } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { EventService } from "../../src/events/index.js";
import type { Clock } from "../../src/ports/clock.js";
import type { Gateway } from "../../src/ports/gateway.js";
import type { CloseOptions } from "../../src/ports/lifecycle.js";
import { deferred } from "../../src/util/deferred.js";
import { PART_BYTES } from "./body-parts.js";
import { Listener } from "./listener.js";
import { type GrpcOptions, type ResolvedGrpcOptions, resolveGrpcOptions } from "./options.js";
import { loadQueueApi, loadRequestSink } from "./proto.js";
import { QueueApi } from "./queue-api.js";
import { RequestSinkApi } from "./request-sink-api.js";
import type { Sinks } from "./sinks.js";
import { StrictRequests } from "./strict-requests.js";
import { timers } from "./timers.js";

export interface GrpcGatewayOptions extends GrpcOptions {
  /** Not closed by the gateway. */
  readonly events: EventService;
  /** Served as fairlead.v1.RequestSink; nor are they closed. Default: none, and the service is not there. */
  readonly sinks?: Sinks | undefined;
  readonly clock?: Clock | undefined;
}

const DEFAULT_RECEIVE_BYTES = 4_194_304;
/** Ids, tokens, dates and the tags of all fields, with room to spare. */
const ENVELOPE_BYTES = 65_536;
/** "" is the whole server. */
const HEALTH_NAMES = ["", "queue.QueueApi"] as const;
const REQUEST_SINK_NAME = "fairlead.v1.RequestSink";

/**
 * Serves queue.QueueApi, fairlead.v1.RequestSink if there are sinks, and grpc.health.v1.Health. Throws `INVALID_ARGUMENT`
 * that names all faults of the options.
 */
export function createGrpcGateway({ events, sinks, clock = timers, ...options }: GrpcGatewayOptions): Gateway {
  return new GrpcGateway(events, sinks, clock, resolveGrpcOptions(options));
}

class GrpcGateway implements Gateway {
  readonly closed: Promise<Error | undefined>;
  readonly #options: ResolvedGrpcOptions;
  readonly #clock: Clock;
  readonly #server: GrpcServer;
  readonly #api: QueueApi;
  readonly #calls: RequestSinkApi | undefined;
  readonly #health = new HealthImplementation();
  readonly #listener: Listener;
  readonly #closed = deferred<Error | undefined>();
  #starting: Promise<string> | undefined;
  #closing: Promise<void> | undefined;

  constructor(events: EventService, sinks: Sinks | undefined, clock: Clock, options: ResolvedGrpcOptions) {
    this.#options = options;
    this.#clock = clock;
    this.closed = this.#closed.promise;
    const requests = new StrictRequests();
    const { refusalDelayMs, maxConnections } = options;
    this.#api = new QueueApi({ events, requests, clock, refusalDelayMs });
    this.#calls = sinks === undefined ? undefined : new RequestSinkApi({ sinks, requests, clock, limits: options });
    this.#server = new GrpcServer({
      "grpc.keepalive_time_ms": options.keepaliveTimeMs,
      "grpc.keepalive_timeout_ms": options.keepaliveTimeoutMs,
      "grpc.max_concurrent_streams": options.maxStreamsPerConnection,
      "grpc.max_receive_message_length": Math.max(
        options.maxReceiveBytes ?? Math.max(DEFAULT_RECEIVE_BYTES, events.maxEventBytes + ENVELOPE_BYTES),
        // A part of a request must fit whatever else is allowed.
        sinks === undefined ? 0 : PART_BYTES + ENVELOPE_BYTES,
      ),
      // What was taken at a post must go out again.
      "grpc.max_send_message_length": -1,
    });
    this.#server.addService(requests.of(loadQueueApi().service), this.#api.handlers());
    if (this.#calls !== undefined) {
      this.#server.addService(requests.of(loadRequestSink().service), this.#calls.handlers());
    }
    this.#health.addToServer(this.#server);
    this.#setHealth("NOT_SERVING");
    const injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#listener = new Listener({
      address: options.listen,
      maxConnections,
      onConnection: (socket) => injector.injectConnection(socket),
      onFailed: (error) => void this.#shut({ drainMs: 0 }, error),
    });
  }

  start(): Promise<string> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  close(options: CloseOptions = {}): Promise<void> {
    return this.#shut(options, undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<string> {
    if (this.#closing !== undefined) {
      throw new MessagingError("CLOSED", "the gRPC gateway was closed; make a new one to serve again");
    }
    const address = await this.#listener.listen();
    if (this.#closing === undefined) this.#setHealth("SERVING");
    return address;
  }

  #shut(options: CloseOptions, error: Error | undefined): Promise<void> {
    this.#closing ??= this.#drain(options, error);
    return this.#closing;
  }

  async #drain({ drainMs = 30_000, signal }: CloseOptions, error: Error | undefined): Promise<void> {
    this.#setHealth("NOT_SERVING");
    this.#listener.close();
    await Promise.all([this.#api.drain({ drainMs, signal }), this.#calls?.drain({ drainMs, signal })]);
    await this.#shutDown();
    this.#server.forceShutdown();
    this.#listener.destroyConnections();
    this.#closed.resolve(error);
  }

  /** Says goodbye on every connection before the streams end: their clients then look for another server. */
  #shutDown(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.setTimer(this.#options.shutdownGraceMs, () => resolve());
      this.#server.tryShutdown(() => {
        cancel();
        resolve();
      });
      void this.#api.endStreams();
    });
  }

  #setHealth(status: "SERVING" | "NOT_SERVING"): void {
    for (const name of HEALTH_NAMES) this.#health.setStatus(name, status);
    if (this.#calls !== undefined) this.#health.setStatus(REQUEST_SINK_NAME, status);
  }
}
