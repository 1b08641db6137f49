export { type CheckHealthOptions, checkHealth, type HealthStatus } from "./check-health.js";
export { createQueueApiClient } from "./client.js";
export {
  createEventsClient,
  type EventHandler,
  type EventsClient,
  type EventsClientNotice,
  type EventsClientOptions,
  type EventsClientState,
  type EventsClientTls,
  type EventsSubscription,
  type EventToPost,
  type PostEventOptions,
  type PostManyOptions,
  type PostManyResult,
  type ReceivedEvent,
  type SubscribeEventsOptions,
} from "./events-client.js";
export type { EventMsg, EventMsg__Output } from "./gen/queue/EventMsg.js";
export type { QueueApiClient } from "./gen/queue/QueueApi.js";
export { createInspectionClient, type InspectionClient, type InspectionClientOptions } from "./inspection-client.js";
export { type GrpcModuleOptions, grpcModule } from "./module.js";
export { type GrpcOptions, type ListenAddress, type ResolvedGrpcOptions, resolveGrpcOptions } from "./options.js";
export type { ClientSecurityOptions, ClientTls } from "./security/client-security.js";
export type { GrpcSecurityOptions, GrpcTokensOptions } from "./security/resolve-security.js";
export type { GrpcTlsOptions } from "./security/server-tls.js";
export type { TokenEntries, TokenEntry } from "./security/token-entries.js";
export { createGrpcGateway, type GrpcGatewayOptions } from "./server.js";
export { type ClientSinkOptions, createSinkClient, type SinkClient, type SinkClientOptions } from "./sink-client.js";
export type { Sinks } from "./sinks.js";
