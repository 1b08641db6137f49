// Original file: proto/fairlead/v1/inspection.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { BrowseRequest as _fairlead_v1_BrowseRequest, BrowseRequest__Output as _fairlead_v1_BrowseRequest__Output } from '../../fairlead/v1/BrowseRequest.js';
import type { CountsRequest as _fairlead_v1_CountsRequest, CountsRequest__Output as _fairlead_v1_CountsRequest__Output } from '../../fairlead/v1/CountsRequest.js';
import type { CountsResponse as _fairlead_v1_CountsResponse, CountsResponse__Output as _fairlead_v1_CountsResponse__Output } from '../../fairlead/v1/CountsResponse.js';
import type { InspectedMessage as _fairlead_v1_InspectedMessage, InspectedMessage__Output as _fairlead_v1_InspectedMessage__Output } from '../../fairlead/v1/InspectedMessage.js';
import type { RemoveRequest as _fairlead_v1_RemoveRequest, RemoveRequest__Output as _fairlead_v1_RemoveRequest__Output } from '../../fairlead/v1/RemoveRequest.js';
import type { RemoveResponse as _fairlead_v1_RemoveResponse, RemoveResponse__Output as _fairlead_v1_RemoveResponse__Output } from '../../fairlead/v1/RemoveResponse.js';
import type { ReplayProgress as _fairlead_v1_ReplayProgress, ReplayProgress__Output as _fairlead_v1_ReplayProgress__Output } from '../../fairlead/v1/ReplayProgress.js';
import type { ReplayRequest as _fairlead_v1_ReplayRequest, ReplayRequest__Output as _fairlead_v1_ReplayRequest__Output } from '../../fairlead/v1/ReplayRequest.js';
import type { UpdateRequest as _fairlead_v1_UpdateRequest, UpdateRequest__Output as _fairlead_v1_UpdateRequest__Output } from '../../fairlead/v1/UpdateRequest.js';
import type { UpdateResponse as _fairlead_v1_UpdateResponse, UpdateResponse__Output as _fairlead_v1_UpdateResponse__Output } from '../../fairlead/v1/UpdateResponse.js';

export interface InspectionClient extends grpc.Client {
  Browse(argument: _fairlead_v1_BrowseRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_fairlead_v1_InspectedMessage__Output>;
  Browse(argument: _fairlead_v1_BrowseRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_fairlead_v1_InspectedMessage__Output>;
  browse(argument: _fairlead_v1_BrowseRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_fairlead_v1_InspectedMessage__Output>;
  browse(argument: _fairlead_v1_BrowseRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_fairlead_v1_InspectedMessage__Output>;
  
  Counts(argument: _fairlead_v1_CountsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_CountsResponse__Output>): grpc.ClientUnaryCall;
  Counts(argument: _fairlead_v1_CountsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fairlead_v1_CountsResponse__Output>): grpc.ClientUnaryCall;
  Counts(argument: _fairlead_v1_CountsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_CountsResponse__Output>): grpc.ClientUnaryCall;
  Counts(argument: _fairlead_v1_CountsRequest, callback: grpc.requestCallback<_fairlead_v1_CountsResponse__Output>): grpc.ClientUnaryCall;
  counts(argument: _fairlead_v1_CountsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_CountsResponse__Output>): grpc.ClientUnaryCall;
  counts(argument: _fairlead_v1_CountsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fairlead_v1_CountsResponse__Output>): grpc.ClientUnaryCall;
  counts(argument: _fairlead_v1_CountsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_CountsResponse__Output>): grpc.ClientUnaryCall;
  counts(argument: _fairlead_v1_CountsRequest, callback: grpc.requestCallback<_fairlead_v1_CountsResponse__Output>): grpc.ClientUnaryCall;
  
  Remove(argument: _fairlead_v1_RemoveRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_RemoveResponse__Output>): grpc.ClientUnaryCall;
  Remove(argument: _fairlead_v1_RemoveRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fairlead_v1_RemoveResponse__Output>): grpc.ClientUnaryCall;
  Remove(argument: _fairlead_v1_RemoveRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_RemoveResponse__Output>): grpc.ClientUnaryCall;
  Remove(argument: _fairlead_v1_RemoveRequest, callback: grpc.requestCallback<_fairlead_v1_RemoveResponse__Output>): grpc.ClientUnaryCall;
  remove(argument: _fairlead_v1_RemoveRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_RemoveResponse__Output>): grpc.ClientUnaryCall;
  remove(argument: _fairlead_v1_RemoveRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fairlead_v1_RemoveResponse__Output>): grpc.ClientUnaryCall;
  remove(argument: _fairlead_v1_RemoveRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_RemoveResponse__Output>): grpc.ClientUnaryCall;
  remove(argument: _fairlead_v1_RemoveRequest, callback: grpc.requestCallback<_fairlead_v1_RemoveResponse__Output>): grpc.ClientUnaryCall;
  
  Replay(argument: _fairlead_v1_ReplayRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_fairlead_v1_ReplayProgress__Output>;
  Replay(argument: _fairlead_v1_ReplayRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_fairlead_v1_ReplayProgress__Output>;
  replay(argument: _fairlead_v1_ReplayRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_fairlead_v1_ReplayProgress__Output>;
  replay(argument: _fairlead_v1_ReplayRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_fairlead_v1_ReplayProgress__Output>;
  
  Update(argument: _fairlead_v1_UpdateRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_UpdateResponse__Output>): grpc.ClientUnaryCall;
  Update(argument: _fairlead_v1_UpdateRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fairlead_v1_UpdateResponse__Output>): grpc.ClientUnaryCall;
  Update(argument: _fairlead_v1_UpdateRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_UpdateResponse__Output>): grpc.ClientUnaryCall;
  Update(argument: _fairlead_v1_UpdateRequest, callback: grpc.requestCallback<_fairlead_v1_UpdateResponse__Output>): grpc.ClientUnaryCall;
  update(argument: _fairlead_v1_UpdateRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_UpdateResponse__Output>): grpc.ClientUnaryCall;
  update(argument: _fairlead_v1_UpdateRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fairlead_v1_UpdateResponse__Output>): grpc.ClientUnaryCall;
  update(argument: _fairlead_v1_UpdateRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fairlead_v1_UpdateResponse__Output>): grpc.ClientUnaryCall;
  update(argument: _fairlead_v1_UpdateRequest, callback: grpc.requestCallback<_fairlead_v1_UpdateResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface InspectionHandlers extends grpc.UntypedServiceImplementation {
  Browse: grpc.handleServerStreamingCall<_fairlead_v1_BrowseRequest__Output, _fairlead_v1_InspectedMessage>;
  
  Counts: grpc.handleUnaryCall<_fairlead_v1_CountsRequest__Output, _fairlead_v1_CountsResponse>;
  
  Remove: grpc.handleUnaryCall<_fairlead_v1_RemoveRequest__Output, _fairlead_v1_RemoveResponse>;
  
  Replay: grpc.handleServerStreamingCall<_fairlead_v1_ReplayRequest__Output, _fairlead_v1_ReplayProgress>;
  
  Update: grpc.handleUnaryCall<_fairlead_v1_UpdateRequest__Output, _fairlead_v1_UpdateResponse>;
  
}

export interface InspectionDefinition extends grpc.ServiceDefinition {
  Browse: MethodDefinition<_fairlead_v1_BrowseRequest, _fairlead_v1_InspectedMessage, _fairlead_v1_BrowseRequest__Output, _fairlead_v1_InspectedMessage__Output>
  Counts: MethodDefinition<_fairlead_v1_CountsRequest, _fairlead_v1_CountsResponse, _fairlead_v1_CountsRequest__Output, _fairlead_v1_CountsResponse__Output>
  Remove: MethodDefinition<_fairlead_v1_RemoveRequest, _fairlead_v1_RemoveResponse, _fairlead_v1_RemoveRequest__Output, _fairlead_v1_RemoveResponse__Output>
  Replay: MethodDefinition<_fairlead_v1_ReplayRequest, _fairlead_v1_ReplayProgress, _fairlead_v1_ReplayRequest__Output, _fairlead_v1_ReplayProgress__Output>
  Update: MethodDefinition<_fairlead_v1_UpdateRequest, _fairlead_v1_UpdateResponse, _fairlead_v1_UpdateRequest__Output, _fairlead_v1_UpdateResponse__Output>
}
