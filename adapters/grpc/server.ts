import { Server as GrpcServer, ServerCredentials, type ServerOptions } from "@grpc/grpc-js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { EventService } from "../../src/events/index.js";
import type { Clock } from "../../src/ports/clock.js";
import type { Gateway } from "../../src/ports/gateway.js";
import type { CloseOptions } from "../../src/ports/lifecycle.js";
import type { Observer } from "../../src/ports/observer.js";
import { deferred } from "../../src/util/deferred.js";
import { machineClock } from "../../src/util/machine-clock.js";
import { PART_BYTES } from "./body-parts.js";
import { EventsApi } from "./events-api.js";
import { Health } from "./health.js";
import { InspectionApi } from "./inspection-api.js";
import { CallAdmission } from "./limits/call-admission.js";
import { ConnectionGate } from "./limits/connection-gate.js";
import { http2ServerOf, setHttp2Options } from "./limits/http2-server.js";
import { SessionGuard } from "./limits/session-guard.js";
import type { Rate } from "./limits/token-bucket.js";
import { Listener } from "./listener.js";
import { liveCalls } from "./live-call.js";
import { type GrpcOptions, type ResolvedGrpcOptions, resolveGrpcOptions } from "./options.js";
import { loadAllProtos, loadEvents, loadInspection, loadQueueApi, loadRequestSink } from "./proto.js";
import { QueueApi } from "./queue-api.js";
import { addReflection } from "./reflection.js";
import { RequestSinkApi } from "./request-sink-api.js";
import { Refusals } from "./security/refusals.js";
import { checkAddresses } from "./security/resolve-security.js";
import { Security } from "./security/security.js";
import type { Sinks } from "./sinks.js";
import { StrictRequests } from "./strict-requests.js";
import { SubscriberStreams } from "./subscriber-streams.js";
import { UnaryCalls } from "./unary-calls.js";

export interface GrpcGatewayOptions extends GrpcOptions {
  /** Not closed by the gateway. */
  readonly events: EventService;
  /** Served as fairlead.v1.RequestSink; nor are they closed. Default: none, and the service is not there. */
  readonly sinks?: Sinks | undefined;
  /** Are told of clients that were turned away, and of certificates and tokens that were read anew. Default: none. */
  readonly observers?: readonly Observer[] | undefined;
  readonly clock?: Clock | undefined;
}

const DEFAULT_RECEIVE_BYTES = 4_194_304;
/** Ids, tokens, dates and the tags of all fields, with room to spare. */
const ENVELOPE_BYTES = 65_536;
const EVENT_SERVICES = ["queue.QueueApi", "fairlead.v1.Events", "fairlead.v1.Inspection"] as const;
const REQUEST_SINK_NAME = "fairlead.v1.RequestSink";

/**
 * Serves queue.QueueApi, fairlead.v1.Events and fairlead.v1.Inspection, fairlead.v1.RequestSink if there are sinks,
 * grpc.health.v1.Health, and reflection of all of them. Throws `INVALID_ARGUMENT` that names all faults of the options.
 */
export function createGrpcGateway({ events, sinks, observers, clock, ...options }: GrpcGatewayOptions): Gateway {
  return new GrpcGateway({ events, sinks, observers, clock }, resolveGrpcOptions(options));
}

type Parts = Pick<GrpcGatewayOptions, "events" | "sinks" | "observers" | "clock">;

class GrpcGateway implements Gateway {
  readonly closed: Promise<Error | undefined>;
  readonly #options: ResolvedGrpcOptions;
  readonly #clock: Clock;
  readonly #server: GrpcServer;
  readonly #unary: UnaryCalls;
  readonly #streams: SubscriberStreams;
  readonly #queueApi: QueueApi;
  readonly #eventsApi: EventsApi;
  readonly #inspectionApi: InspectionApi;
  readonly #calls: RequestSinkApi | undefined;
  readonly #health: Health;
  readonly #listener: Listener;
  readonly #refusals: Refusals;
  readonly #security: Security;
  readonly #sessions: SessionGuard;
  readonly #closed = deferred<Error | undefined>();
  #starting: Promise<string> | undefined;
  #closing: Promise<void> | undefined;

  constructor({ events, sinks, observers = [], clock = machineClock }: Parts, options: ResolvedGrpcOptions) {
    this.#options = options;
    this.#clock = clock;
    this.closed = this.#closed.promise;
    const requests = new StrictRequests(loadAllProtos());
    const { refusalDelayMs, maxConnections } = options;
    const unary = new UnaryCalls({ requests, clock });
    const streams = new SubscriberStreams({ clock, refusalDelayMs });
    this.#unary = unary;
    this.#streams = streams;
    this.#queueApi = new QueueApi({ events, requests, unary, streams });
    const admission = admissionOf(options, clock);
    this.#eventsApi = new EventsApi({ events, requests, clock, unary, streams, admission });
    this.#inspectionApi = new InspectionApi({ events, requests, clock, unary });
    this.#calls = sinks === undefined ? undefined : new RequestSinkApi({ sinks, requests, clock, limits: options });
    const observe = observeAll(observers);
    const refusals = new Refusals({ observe, clock });
    this.#refusals = refusals;
    const security = new Security({
      security: options.security,
      handshakeTimeoutMs: options.handshakeTimeoutMs,
      admission,
      refusalDelayMs,
      requests,
      refusals,
      observe,
      clock,
      queueOf: (name) => this.#inspectionApi.queueOf(name),
      onConnection: (socket) => injector.injectConnection(socket),
    });
    this.#security = security;
    this.#server = new GrpcServer({
      interceptors: security.guard === undefined ? [liveCalls] : [liveCalls, security.guard.interceptor],
      "grpc.keepalive_time_ms": options.keepaliveTimeMs,
      "grpc.keepalive_timeout_ms": options.keepaliveTimeoutMs,
      "grpc.max_concurrent_streams": options.maxStreamsPerConnection,
      ...recycling(options),
      "grpc.max_receive_message_length": Math.max(
        options.maxReceiveBytes ?? Math.max(DEFAULT_RECEIVE_BYTES, events.maxEventBytes + ENVELOPE_BYTES),
        // A part of a request must fit whatever else is allowed.
        sinks === undefined ? 0 : PART_BYTES + ENVELOPE_BYTES,
      ),
      // What was taken at a post must go out again.
      "grpc.max_send_message_length": -1,
    });
    this.#server.addService(requests.of(loadQueueApi().service), this.#queueApi.handlers());
    this.#server.addService(requests.of(loadEvents().service), this.#eventsApi.handlers());
    this.#server.addService(requests.of(loadInspection().service), this.#inspectionApi.handlers());
    if (this.#calls !== undefined) {
      this.#server.addService(requests.of(loadRequestSink().service), this.#calls.handlers());
    }
    // "" is the whole server.
    const isAvailable = (): boolean => events.available;
    this.#health = new Health({ names: ["", ...this.#serviceNames], isAvailable, clock });
    this.#server.addService(this.#health.definition, this.#health.handlers);
    addReflection(this.#server, this.#serviceNames);
    setHttp2Options(this.#server, { settings: { maxHeaderListSize: options.maxHeaderBytes } });
    // TLS is made before.
    const injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    const { maxConnectionsPerAddress, handshakeTimeoutMs, messageTimeoutMs, maxUnfinishedBytesPerAddress } = options;
    // What is measured here is what the machine does, not what the application takes for time.
    const real = { clock: machineClock, refusals };
    const gate = new ConnectionGate({ ...real, maxConnectionsPerAddress, handshakeTimeoutMs });
    this.#sessions = new SessionGuard({ ...real, gate, messageTimeoutMs, maxUnfinishedBytesPerAddress });
    const http2Server = http2ServerOf(this.#server);
    this.#sessions.watch(http2Server);
    security.watch(http2Server);
    const { host } = options.listen;
    this.#listener = new Listener({
      address: options.listen,
      maxConnections,
      gate,
      checkAddresses: (addresses) => checkAddresses({ host, addresses }, options.security),
      onConnection: (socket) => security.connect(socket),
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
    if (this.#closing === undefined) {
      this.#security.start();
      this.#health.set(true);
    }
    return address;
  }

  #shut(options: CloseOptions, error: Error | undefined): Promise<void> {
    this.#closing ??= this.#drain(options, error);
    return this.#closing;
  }

  async #drain({ drainMs = 30_000, signal }: CloseOptions, error: Error | undefined): Promise<void> {
    this.#health.set(false);
    this.#listener.close();
    const drain = { drainMs, signal };
    this.#queueApi.drain();
    await Promise.all([
      this.#streams.drain(drain),
      this.#eventsApi.drain(drain),
      this.#inspectionApi.drain(drain),
      this.#unary.idle(drain),
      this.#calls?.drain(drain),
    ]);
    await this.#shutDown();
    this.#server.forceShutdown();
    this.#listener.destroyConnections();
    this.#sessions.stop();
    this.#health.close();
    this.#security.close();
    this.#refusals.close();
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
      void this.#eventsApi.endStreams();
      void this.#streams.endAll();
    });
  }

  get #serviceNames(): readonly string[] {
    return this.#calls === undefined ? EVENT_SERVICES : [...EVENT_SERVICES, REQUEST_SINK_NAME];
  }
}

/** What an observer throws is dropped, as everywhere. */
function observeAll(observers: readonly Observer[]): Observer {
  return (observation) => {
    for (const observer of observers) {
      try {
        observer(observation);
      } catch {
        // Telling never harms the work.
      }
    }
  };
}

/** Undefined: nothing is limited for each client, so nothing needs to be counted. */
function admissionOf(options: ResolvedGrpcOptions, clock: Clock): CallAdmission | undefined {
  const { maxOpenCallsPerClient: maxCalls, maxSubscribersPerClient: maxSubscribers } = options;
  const calls = rateOf(options.maxCallsPerSecond, options.callBurst);
  const posts = rateOf(options.maxPostsPerSecond, options.postBurst);
  if ((maxCalls ?? maxSubscribers ?? calls ?? posts) === undefined) return undefined;
  return new CallAdmission({ maxCalls, maxSubscribers, calls, posts }, clock);
}

function rateOf(perSecond: number | undefined, burst: number | undefined): Rate | undefined {
  return perSecond === undefined || burst === undefined ? undefined : { perSecond, burst };
}

/** The library's default is never. */
function recycling(options: ResolvedGrpcOptions): ServerOptions {
  const { maxConnectionIdleMs, maxConnectionAgeMs, maxConnectionAgeGraceMs } = options;
  return {
    ...(maxConnectionIdleMs === undefined ? {} : { "grpc.max_connection_idle_ms": maxConnectionIdleMs }),
    ...(maxConnectionAgeMs === undefined ? {} : { "grpc.max_connection_age_ms": maxConnectionAgeMs }),
    ...(maxConnectionAgeGraceMs === undefined ? {} : { "grpc.max_connection_age_grace_ms": maxConnectionAgeGraceMs }),
  };
}
