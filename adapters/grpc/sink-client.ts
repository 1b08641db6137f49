import { Client } from "@grpc/grpc-js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { RequestSink } from "../../src/ports/request-sink.js";
import { CallTable } from "./call-table.js";
import { ClientSink } from "./client-sink.js";
import type { RequestSinkClient } from "./gen/fairlead/v1/RequestSink.js";
import { loadRequestSink } from "./proto.js";
import { secureClient } from "./security/client-security.js";
import {
  type ClientSinkOptions,
  type ResolvedSinkClientOptions,
  resolveSinkClientOptions,
  type SinkClientOptions,
} from "./sink-client-options.js";

export type { ClientSinkOptions, SinkClientOptions } from "./sink-client-options.js";

/** A connection to a gateway, with the sinks that it serves. */
export interface SinkClient extends AsyncDisposable {
  /**
   * The client's end of a sink. Costs nothing and cannot fail but for its options; a name that the server does not know
   * fails each call with `NOT_FOUND`, if the server knows all of its sinks; otherwise it ends at its deadline.
   */
  requestSink(name: string): RequestSink;
  requestSink<Req, Res>(name: string, options: ClientSinkOptions<Req, Res>): RequestSink<Req, Res>;
  /** Pending calls fail with `CLOSED`, their servers are told, and the connection ends. Never rejects. */
  close(): Promise<void>;
}

/**
 * A client of the sinks that a gateway serves, with a connection of its own, made with the first call and made anew after
 * a loss. A call whose server is not there, dies or shuts down fails with `UNAVAILABLE`. Throws `INVALID_ARGUMENT` that
 * names all faults of the options.
 */
export function createSinkClient(options: SinkClientOptions): SinkClient {
  return new GrpcSinkClient(resolveSinkClientOptions(options));
}

const GIBIBYTE = 1_073_741_824;

class GrpcSinkClient implements SinkClient {
  readonly #options: ResolvedSinkClientOptions;
  readonly #client: RequestSinkClient;
  readonly #calls = new CallTable();
  #closing: Promise<void> | undefined;

  constructor(options: ResolvedSinkClientOptions) {
    this.#options = options;
    const secure = secureClient(options.security, options.address, "sink client");
    this.#client = new (loadRequestSink())(options.address, secure.credentials, {
      ...secure.options,
      "grpc.keepalive_time_ms": options.keepaliveTimeMs,
      "grpc.keepalive_timeout_ms": options.keepaliveTimeoutMs,
      "grpc.keepalive_permit_without_calls": 1,
      // Responses have their own, smaller limit; this one is for a server that sends no parts.
      "grpc.max_receive_message_length": GIBIBYTE,
      // What comes is read at once and bounded by the calls' own windows; HTTP/2's default allows 64 KiB a round trip.
      "grpc-node.flow_control_window": 1_048_576,
      // A connection of its own: on a shared one a stream that is not read holds up those of other clients.
      "grpc.use_local_subchannel_pool": 1,
      // A server that comes back is found soon; the library's own wait grows to two minutes.
      "grpc.initial_reconnect_backoff_ms": 200,
      "grpc.max_reconnect_backoff_ms": 2_000,
    });
  }

  requestSink<Req, Res>(name: string, options: ClientSinkOptions<Req, Res> = {}): RequestSink<Req, Res> {
    const { maxResponseBytes } = this.#options;
    return new ClientSink({ name, calls: this.#calls, client: this.#client, options, maxResponseBytes });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#calls.close(new MessagingError("CLOSED", "the sink client was closed before the call had ended"));
    Client.prototype.close.call(this.#client);
  }
}
