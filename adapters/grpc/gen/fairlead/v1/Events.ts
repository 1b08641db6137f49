// Original file: proto/fairlead/v1/events.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AckRequest as _fairlead_v1_AckRequest, AckRequest__Output as _fairlead_v1_AckRequest__Output } from '../../fairlead/v1/AckRequest.js';
import type { AckResponse as _fairlead_v1_AckResponse, AckResponse__Output as _fairlead_v1_AckResponse__Output } from '../../fairlead/v1/AckResponse.js';
import type { CloseRequest as _fairlead_v1_CloseRequest, CloseRequest__Output as _fairlead_v1_CloseRequest__Output } from '../../fairlead/v1/CloseRequest.js';
import type { CloseResponse as _fairlead_v1_CloseResponse, CloseResponse__Output as _fairlead_v1_CloseResponse__Output } from '../../fairlead/v1/CloseResponse.js';
import type { PostEventsRequest as _fairlead_v1_PostEventsRequest, PostEventsRequest__Output as _fairlead_v1_PostEventsRequest__Output } from '../../fairlead/v1/PostEventsRequest.js';
import type { PostEventsResponse as _fairlead_v1_PostEventsResponse, PostEventsResponse__Output as _fairlead_v1_PostEventsResponse__Output } from '../../fairlead/v1/PostEventsResponse.js';
import type { PostRequest as _fairlead_v1_PostRequest, PostRequest__Output as _fairlead_v1_PostRequest__Output } from '../../fairlead/v1/PostRequest.js';
import type { PostResponse as _fairlead_v1_PostResponse, PostResponse__Output as _fairlead_v1_PostResponse__Output } from '../../fairlead/v1/PostResponse.js';
import type { SubscribeRequest as _fairlead_v1_SubscribeRequest, SubscribeRequest__Output as _fairlead_v1_SubscribeRequest__Output } from '../../fairlead/v1/SubscribeRequest.js';
import type { SubscribeResponse as _fairlead_v1_SubscribeResponse, SubscribeResponse__Output as _fairlead_v1_SubscribeResponse__Output } from '../../fairlead/v1/SubscribeResponse.js';

export interface EventsClient extends grpc.Client {
  Ack(argument: _fairlead_v1_AckRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_AckResponse__Output>): grpc.ClientUnaryCall;
  Ack(argument: _fairlead_v1_AckRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fairlead_v1_AckResponse__Output>): grpc.ClientUnaryCall;
  Ack(argument: _fairlead_v1_AckRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_AckResponse__Output>): grpc.ClientUnaryCall;
  Ack(argument: _fairlead_v1_AckRequest, callback: grpc.requestCallback<_fairlead_v1_AckResponse__Output>): grpc.ClientUnaryCall;
  ack(argument: _fairlead_v1_AckRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_AckResponse__Output>): grpc.ClientUnaryCall;
  ack(argument: _fairlead_v1_AckRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fairlead_v1_AckResponse__Output>): grpc.ClientUnaryCall;
  ack(argument: _fairlead_v1_AckRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_AckResponse__Output>): grpc.ClientUnaryCall;
  ack(argument: _fairlead_v1_AckRequest, callback: grpc.requestCallback<_fairlead_v1_AckResponse__Output>): grpc.ClientUnaryCall;
  
  Close(argument: _fairlead_v1_CloseRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_CloseResponse__Output>): grpc.ClientUnaryCall;
  Close(argument: _fairlead_v1_CloseRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fairlead_v1_CloseResponse__Output>): grpc.ClientUnaryCall;
  Close(argument: _fairlead_v1_CloseRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_CloseResponse__Output>): grpc.ClientUnaryCall;
  Close(argument: _fairlead_v1_CloseRequest, callback: grpc.requestCallback<_fairlead_v1_CloseResponse__Output>): grpc.ClientUnaryCall;
  
  Post(argument: _fairlead_v1_PostRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_PostResponse__Output>): grpc.ClientUnaryCall;
  Post(argument: _fairlead_v1_PostRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fairlead_v1_PostResponse__Output>): grpc.ClientUnaryCall;
  Post(argument: _fairlead_v1_PostRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_PostResponse__Output>): grpc.ClientUnaryCall;
  Post(argument: _fairlead_v1_PostRequest, callback: grpc.requestCallback<_fairlead_v1_PostResponse__Output>): grpc.ClientUnaryCall;
  post(argument: _fairlead_v1_PostRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_PostResponse__Output>): grpc.ClientUnaryCall;
  post(argument: _fairlead_v1_PostRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fairlead_v1_PostResponse__Output>): grpc.ClientUnaryCall;
  post(argument: _fairlead_v1_PostRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_PostResponse__Output>): grpc.ClientUnaryCall;
  post(argument: _fairlead_v1_PostRequest, callback: grpc.requestCallback<_fairlead_v1_PostResponse__Output>): grpc.ClientUnaryCall;
  
  PostEvents(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_fairlead_v1_PostEventsRequest, _fairlead_v1_PostEventsResponse__Output>;
  PostEvents(options?: grpc.CallOptions): grpc.ClientDuplexStream<_fairlead_v1_PostEventsRequest, _fairlead_v1_PostEventsResponse__Output>;
  postEvents(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_fairlead_v1_PostEventsRequest, _fairlead_v1_PostEventsResponse__Output>;
  postEvents(options?: grpc.CallOptions): grpc.ClientDuplexStream<_fairlead_v1_PostEventsRequest, _fairlead_v1_PostEventsResponse__Output>;
  
  Subscribe(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_fairlead_v1_SubscribeRequest, _fairlead_v1_SubscribeResponse__Output>;
  Subscribe(options?: grpc.CallOptions): grpc.ClientDuplexStream<_fairlead_v1_SubscribeRequest, _fairlead_v1_SubscribeResponse__Output>;
  subscribe(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_fairlead_v1_SubscribeRequest, _fairlead_v1_SubscribeResponse__Output>;
  subscribe(options?: grpc.CallOptions): grpc.ClientDuplexStream<_fairlead_v1_SubscribeRequest, _fairlead_v1_SubscribeResponse__Output>;
  
}

export interface EventsHandlers extends grpc.UntypedServiceImplementation {
  Ack: grpc.handleUnaryCall<_fairlead_v1_AckRequest__Output, _fairlead_v1_AckResponse>;
  
  Close: grpc.handleUnaryCall<_fairlead_v1_CloseRequest__Output, _fairlead_v1_CloseResponse>;
  
  Post: grpc.handleUnaryCall<_fairlead_v1_PostRequest__Output, _fairlead_v1_PostResponse>;
  
  PostEvents: grpc.handleBidiStreamingCall<_fairlead_v1_PostEventsRequest__Output, _fairlead_v1_PostEventsResponse>;
  
  Subscribe: grpc.handleBidiStreamingCall<_fairlead_v1_SubscribeRequest__Output, _fairlead_v1_SubscribeResponse>;
  
}

export interface EventsDefinition extends grpc.ServiceDefinition {
  Ack: MethodDefinition<_fairlead_v1_AckRequest, _fairlead_v1_AckResponse, _fairlead_v1_AckRequest__Output, _fairlead_v1_AckResponse__Output>
  Close: MethodDefinition<_fairlead_v1_CloseRequest, _fairlead_v1_CloseResponse, _fairlead_v1_CloseRequest__Output, _fairlead_v1_CloseResponse__Output>
  Post: MethodDefinition<_fairlead_v1_PostRequest, _fairlead_v1_PostResponse, _fairlead_v1_PostRequest__Output, _fairlead_v1_PostResponse__Output>
  PostEvents: MethodDefinition<_fairlead_v1_PostEventsRequest, _fairlead_v1_PostEventsResponse, _fairlead_v1_PostEventsRequest__Output, _fairlead_v1_PostEventsResponse__Output>
  Subscribe: MethodDefinition<_fairlead_v1_SubscribeRequest, _fairlead_v1_SubscribeResponse, _fairlead_v1_SubscribeRequest__Output, _fairlead_v1_SubscribeResponse__Output>
}
