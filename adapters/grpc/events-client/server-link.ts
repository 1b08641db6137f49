import { Client, connectivityState, Metadata } from "@grpc/grpc-js";
import type { EventsClient } from "../gen/fairlead/v1/Events.js";
import type { QueueApiClient } from "../gen/queue/QueueApi.js";
import { loadEvents, loadQueueApi } from "../proto.js";
import { channelCredentials, channelOptions } from "../security/client-security.js";
import { askToken, type TokenSource } from "../security/client-token.js";
import type { ResolvedEventsClientOptions } from "./options.js";

/** The connection to one server: made with the first call, and made anew by the library after a loss. */
export class ServerLink {
  readonly address: string;
  readonly queueApi: QueueApiClient;
  readonly eventsApi: EventsClient;
  /** Whether the server may have fairlead.v1.Events. */
  hasEventsApi = true;
  readonly #token: TokenSource | undefined;

  constructor(address: string, { security, keepaliveTimeMs, keepaliveTimeoutMs }: ResolvedEventsClientOptions) {
    this.address = address;
    this.#token = security.token;
    const credentials = channelCredentials(security, "events client");
    this.queueApi = new (loadQueueApi())(address, credentials, {
      "grpc.keepalive_time_ms": keepaliveTimeMs,
      "grpc.keepalive_timeout_ms": keepaliveTimeoutMs,
      "grpc.keepalive_permit_without_calls": 1,
      // Events have the server's limit, which is not known here.
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
      // A connection of its own: on a shared one a stream that is not read holds up those of other clients.
      "grpc.use_local_subchannel_pool": 1,
      // The library's own wait grows to two minutes; when to try again is decided above it.
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 1_000,
      // It would try again by itself, and an unknown outcome would not be seen here.
      "grpc.enable_retries": 0,
      ...channelOptions(security, address),
    });
    const channelOverride = this.queueApi.getChannel();
    this.eventsApi = new (loadEvents())(address, credentials, { channelOverride });
  }

  get isConnected(): boolean {
    return this.queueApi.getChannel().getConnectivityState(false) === connectivityState.READY;
  }

  /** For one call. Rejects with `UNAUTHENTICATED` when there is no token to be had. */
  async metadata(): Promise<Metadata> {
    const metadata = new Metadata();
    if (this.#token !== undefined) metadata.set("authorization", await askToken(this.#token));
    return metadata;
  }

  /** Whatever is there next may know more. */
  failed(): void {
    this.hasEventsApi = true;
  }

  close(): void {
    // Its own name is taken by the rpc.
    Client.prototype.close.call(this.queueApi);
  }
}
