import { Client } from "@grpc/grpc-js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { QueueApiClient } from "./gen/queue/QueueApi.js";
import { loadQueueApi } from "./proto.js";
import { type ClientSecurityOptions, resolveClientSecurity, secureClient } from "./security/client-security.js";

/** As the server: a dead link is noticed after 13 s, also while no call is under way. */
const CHANNEL_OPTIONS = {
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 3_000,
  "grpc.keepalive_permit_without_calls": 1,
  "grpc.max_receive_message_length": -1,
  // A connection of its own: on a shared one a stream that is not read holds up those of other clients.
  "grpc.use_local_subchannel_pool": 1,
  // A server that comes back is found soon; the library's own wait grows to two minutes.
  "grpc.initial_reconnect_backoff_ms": 200,
  "grpc.max_reconnect_backoff_ms": 2_000,
} as const;

/**
 * A client of the QueueApi at `host:port`, with a connection of its own. `Close` is the rpc; `close()` closes the channel.
 * Throws `INVALID_ARGUMENT` that names all faults of the options.
 */
export function createQueueApiClient(address: string, security: ClientSecurityOptions = {}): QueueApiClient {
  const faults: string[] = [];
  const resolved = resolveClientSecurity(security, [address], faults);
  if (faults.length > 0) throw new MessagingError("INVALID_ARGUMENT", `client: ${faults.join("; ")}`);
  const { credentials, options } = secureClient(resolved, address, "client");
  const client = new (loadQueueApi())(address, credentials, { ...CHANNEL_OPTIONS, ...options });
  // The library puts the rpc under this name too, which would leave no way to close the channel.
  Object.defineProperty(client, "close", { value: () => Client.prototype.close.call(client) });
  return client;
}
