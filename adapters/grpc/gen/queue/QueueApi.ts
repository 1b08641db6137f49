// Original file: proto/queue.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AckRequest as _queue_AckRequest, AckRequest__Output as _queue_AckRequest__Output } from '../queue/AckRequest.js';
import type { AckResponse as _queue_AckResponse, AckResponse__Output as _queue_AckResponse__Output } from '../queue/AckResponse.js';
import type { CloseRequest as _queue_CloseRequest, CloseRequest__Output as _queue_CloseRequest__Output } from '../queue/CloseRequest.js';
import type { CloseResponse as _queue_CloseResponse, CloseResponse__Output as _queue_CloseResponse__Output } from '../queue/CloseResponse.js';
import type { EventMsg as _queue_EventMsg, EventMsg__Output as _queue_EventMsg__Output } from '../queue/EventMsg.js';
import type { PostEventResponse as _queue_PostEventResponse, PostEventResponse__Output as _queue_PostEventResponse__Output } from '../queue/PostEventResponse.js';
import type { SubscriptionRequest as _queue_SubscriptionRequest, SubscriptionRequest__Output as _queue_SubscriptionRequest__Output } from '../queue/SubscriptionRequest.js';

export interface QueueApiClient extends grpc.Client {
  Ack(argument: _queue_AckRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_queue_AckResponse__Output>): grpc.ClientUnaryCall;
  Ack(argument: _queue_AckRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_queue_AckResponse__Output>): grpc.ClientUnaryCall;
  Ack(argument: _queue_AckRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_queue_AckResponse__Output>): grpc.ClientUnaryCall;
  Ack(argument: _queue_AckRequest, callback: grpc.requestCallback<_queue_AckResponse__Output>): grpc.ClientUnaryCall;
  ack(argument: _queue_AckRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_queue_AckResponse__Output>): grpc.ClientUnaryCall;
  ack(argument: _queue_AckRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_queue_AckResponse__Output>): grpc.ClientUnaryCall;
  ack(argument: _queue_AckRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_queue_AckResponse__Output>): grpc.ClientUnaryCall;
  ack(argument: _queue_AckRequest, callback: grpc.requestCallback<_queue_AckResponse__Output>): grpc.ClientUnaryCall;
  
  Close(argument: _queue_CloseRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_queue_CloseResponse__Output>): grpc.ClientUnaryCall;
  Close(argument: _queue_CloseRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_queue_CloseResponse__Output>): grpc.ClientUnaryCall;
  Close(argument: _queue_CloseRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_queue_CloseResponse__Output>): grpc.ClientUnaryCall;
  Close(argument: _queue_CloseRequest, callback: grpc.requestCallback<_queue_CloseResponse__Output>): grpc.ClientUnaryCall;
  
  PostEvent(argument: _queue_EventMsg, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_queue_PostEventResponse__Output>): grpc.ClientUnaryCall;
  PostEvent(argument: _queue_EventMsg, metadata: grpc.Metadata, callback: grpc.requestCallback<_queue_PostEventResponse__Output>): grpc.ClientUnaryCall;
  PostEvent(argument: _queue_EventMsg, options: grpc.CallOptions, callback: grpc.requestCallback<_queue_PostEventResponse__Output>): grpc.ClientUnaryCall;
  PostEvent(argument: _queue_EventMsg, callback: grpc.requestCallback<_queue_PostEventResponse__Output>): grpc.ClientUnaryCall;
  postEvent(argument: _queue_EventMsg, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_queue_PostEventResponse__Output>): grpc.ClientUnaryCall;
  postEvent(argument: _queue_EventMsg, metadata: grpc.Metadata, callback: grpc.requestCallback<_queue_PostEventResponse__Output>): grpc.ClientUnaryCall;
  postEvent(argument: _queue_EventMsg, options: grpc.CallOptions, callback: grpc.requestCallback<_queue_PostEventResponse__Output>): grpc.ClientUnaryCall;
  postEvent(argument: _queue_EventMsg, callback: grpc.requestCallback<_queue_PostEventResponse__Output>): grpc.ClientUnaryCall;
  
  SubscribeEvents(argument: _queue_SubscriptionRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_queue_EventMsg__Output>;
  SubscribeEvents(argument: _queue_SubscriptionRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_queue_EventMsg__Output>;
  subscribeEvents(argument: _queue_SubscriptionRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_queue_EventMsg__Output>;
  subscribeEvents(argument: _queue_SubscriptionRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_queue_EventMsg__Output>;
  
}

export interface QueueApiHandlers extends grpc.UntypedServiceImplementation {
  Ack: grpc.handleUnaryCall<_queue_AckRequest__Output, _queue_AckResponse>;
  
  Close: grpc.handleUnaryCall<_queue_CloseRequest__Output, _queue_CloseResponse>;
  
  PostEvent: grpc.handleUnaryCall<_queue_EventMsg__Output, _queue_PostEventResponse>;
  
  SubscribeEvents: grpc.handleServerStreamingCall<_queue_SubscriptionRequest__Output, _queue_EventMsg>;
  
}

export interface QueueApiDefinition extends grpc.ServiceDefinition {
  Ack: MethodDefinition<_queue_AckRequest, _queue_AckResponse, _queue_AckRequest__Output, _queue_AckResponse__Output>
  Close: MethodDefinition<_queue_CloseRequest, _queue_CloseResponse, _queue_CloseRequest__Output, _queue_CloseResponse__Output>
  PostEvent: MethodDefinition<_queue_EventMsg, _queue_PostEventResponse, _queue_EventMsg__Output, _queue_PostEventResponse__Output>
  SubscribeEvents: MethodDefinition<_queue_SubscriptionRequest, _queue_EventMsg, _queue_SubscriptionRequest__Output, _queue_EventMsg__Output>
}
