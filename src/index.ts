/** What applications use. Authors of adapters find the rest under fairlead/driver and fairlead/contract. */
export { bytesCodec, jsonCodec } from "./core/codec.js";
export { createMessaging, type MessagingOptions } from "./core/messaging.js";
export { type Calls, call, callOne, callOneWay, createCalls } from "./core/request/calls.js";
export { type HandlerContext, sinkOf } from "./core/request/sink-of.js";
export { systemClock } from "./core/system-clock.js";
export { systemRandom } from "./core/system-random.js";
export { type ErrorCode, MessagingError, type MessagingErrorOptions } from "./errors/messaging-error.js";
export type {
  Broadcast,
  BroadcastOptions,
  NodeId,
  SubscribeOptions,
  Subscription,
  SubscriptionState,
} from "./ports/broadcast.js";
export type { Capabilities } from "./ports/capabilities.js";
export type { Cancel, Clock, Random } from "./ports/clock.js";
export type { Codec } from "./ports/codec.js";
export type { Connection, ConnectionState } from "./ports/connection.js";
export type { Gateway } from "./ports/gateway.js";
export type {
  InspectedMessage,
  Inspection,
  MessageSelection,
  MessageState,
  QueueCounts,
  ReplayOptions,
} from "./ports/inspection.js";
export type { Closeable, CloseOptions } from "./ports/lifecycle.js";
export type {
  Delivery,
  IncomingMessage,
  MessageHeaders,
  OutgoingMessage,
  Priority,
  Settlement,
} from "./ports/message.js";
export type { Messaging, PortOptions, QueueOptions } from "./ports/messaging.js";
export type { Observation, Observer } from "./ports/observer.js";
export type { ConsumeOptions, Consumer, ConsumerState, DeliveryHandler, PublishOptions, Queue } from "./ports/queue.js";
export type {
  CallOptions,
  CallRequest,
  ProtocolVersion,
  RequestContext,
  RequestMessage,
  RequestServer,
  RequestSink,
  RequestSinkOptions,
  ResponseMessage,
  ResponseStream,
  ServeOptions,
} from "./ports/request-sink.js";
