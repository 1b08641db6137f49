// Original file: proto/fairlead/v1/request_sink.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ClientFrame as _fairlead_v1_ClientFrame, ClientFrame__Output as _fairlead_v1_ClientFrame__Output } from '../../fairlead/v1/ClientFrame.js';
import type { ServerFrame as _fairlead_v1_ServerFrame, ServerFrame__Output as _fairlead_v1_ServerFrame__Output } from '../../fairlead/v1/ServerFrame.js';
import type { SignalRequest as _fairlead_v1_SignalRequest, SignalRequest__Output as _fairlead_v1_SignalRequest__Output } from '../../fairlead/v1/SignalRequest.js';
import type { SignalResponse as _fairlead_v1_SignalResponse, SignalResponse__Output as _fairlead_v1_SignalResponse__Output } from '../../fairlead/v1/SignalResponse.js';

export interface RequestSinkClient extends grpc.Client {
  Call(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_fairlead_v1_ClientFrame, _fairlead_v1_ServerFrame__Output>;
  Call(options?: grpc.CallOptions): grpc.ClientDuplexStream<_fairlead_v1_ClientFrame, _fairlead_v1_ServerFrame__Output>;
  call(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_fairlead_v1_ClientFrame, _fairlead_v1_ServerFrame__Output>;
  call(options?: grpc.CallOptions): grpc.ClientDuplexStream<_fairlead_v1_ClientFrame, _fairlead_v1_ServerFrame__Output>;
  
  Signal(argument: _fairlead_v1_SignalRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_fairlead_v1_SignalResponse__Output>;
  Signal(argument: _fairlead_v1_SignalRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_fairlead_v1_SignalResponse__Output>;
  signal(argument: _fairlead_v1_SignalRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_fairlead_v1_SignalResponse__Output>;
  signal(argument: _fairlead_v1_SignalRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_fairlead_v1_SignalResponse__Output>;
  
}

export interface RequestSinkHandlers extends grpc.UntypedServiceImplementation {
  Call: grpc.handleBidiStreamingCall<_fairlead_v1_ClientFrame__Output, _fairlead_v1_ServerFrame>;
  
  Signal: grpc.handleServerStreamingCall<_fairlead_v1_SignalRequest__Output, _fairlead_v1_SignalResponse>;
  
}

export interface RequestSinkDefinition extends grpc.ServiceDefinition {
  Call: MethodDefinition<_fairlead_v1_ClientFrame, _fairlead_v1_ServerFrame, _fairlead_v1_ClientFrame__Output, _fairlead_v1_ServerFrame__Output>
  Signal: MethodDefinition<_fairlead_v1_SignalRequest, _fairlead_v1_SignalResponse, _fairlead_v1_SignalRequest__Output, _fairlead_v1_SignalResponse__Output>
}
