export { createQueueApiClient } from "./client.js";
export type { EventMsg, EventMsg__Output } from "./gen/queue/EventMsg.js";
export type { QueueApiClient } from "./gen/queue/QueueApi.js";
export { type GrpcModuleOptions, grpcModule } from "./module.js";
export { type GrpcOptions, type ListenAddress, type ResolvedGrpcOptions, resolveGrpcOptions } from "./options.js";
export { createGrpcGateway, type GrpcGatewayOptions } from "./server.js";
export { type ClientSinkOptions, createSinkClient, type SinkClient, type SinkClientOptions } from "./sink-client.js";
export type { Sinks } from "./sinks.js";
