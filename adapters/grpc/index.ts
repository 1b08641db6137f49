export { createQueueApiClient } from "./client.js";
export type { EventMsg, EventMsg__Output } from "./gen/queue/EventMsg.js";
export type { QueueApiClient } from "./gen/queue/QueueApi.js";
export { grpcModule } from "./module.js";
export { type GrpcOptions, type ListenAddress, type ResolvedGrpcOptions, resolveGrpcOptions } from "./options.js";
export { createGrpcGateway, type GrpcGatewayOptions } from "./server.js";
