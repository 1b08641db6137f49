import type { EventsClient } from "./events-client/client.js";
import { GrpcEventsClient } from "./events-client/grpc-events-client.js";
import { type EventsClientOptions, resolveEventsClientOptions } from "./events-client/options.js";

export type { EventsClient, PostManyOptions, SubscribeEventsOptions } from "./events-client/client.js";
export type { EventsSubscription } from "./events-client/client-subscription.js";
export type { EventHandler, PostEventOptions, ReceivedEvent } from "./events-client/event.js";
export type { EventsClientNotice, EventsClientState } from "./events-client/notice.js";
export type { EventsClientOptions, EventsClientTls } from "./events-client/options.js";
export type { EventToPost, PostManyResult } from "./events-client/post-many.js";

/**
 * A client of an event service, with connections of its own, made with the first call. Throws `INVALID_ARGUMENT` that names
 * all faults of the options.
 */
export function createEventsClient(options: EventsClientOptions): EventsClient {
  return new GrpcEventsClient(resolveEventsClientOptions(options));
}
