import { Client, credentials } from "@grpc/grpc-js";
import type { QueueApiClient } from "./gen/queue/QueueApi.js";
import { loadQueueApi } from "./proto.js";

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

/** A plaintext client of the QueueApi at `host:port`, with a connection of its own. `Close` is the rpc; `close()` closes the channel. */
export function createQueueApiClient(address: string): QueueApiClient {
  const client = new (loadQueueApi())(address, credentials.createInsecure(), CHANNEL_OPTIONS);
  // The library puts the rpc under this name too, which would leave no way to close the channel.
  Object.defineProperty(client, "close", { value: () => Client.prototype.close.call(client) });
  return client;
}
