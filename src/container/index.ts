export { type BrokerOptions, brokerModule, checkBrokerUrl, maskBrokerUrl } from "./brokers.js";
export { createContainer } from "./create-container.js";
export { DEFAULT_BROKER_URL } from "./default-broker.js";
export { type MessagingModuleOptions, messagingModule } from "./messaging-module.js";
export type { ServedSink } from "./served-sink.js";
export { Server, type ServerOptions } from "./server.js";
export { sinkModule } from "./sink-module.js";
export { TOKENS } from "./tokens.js";
