import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { Abort as _fairlead_v1_Abort, Abort__Output as _fairlead_v1_Abort__Output } from './fairlead/v1/Abort.js';
import type { ClientFrame as _fairlead_v1_ClientFrame, ClientFrame__Output as _fairlead_v1_ClientFrame__Output } from './fairlead/v1/ClientFrame.js';
import type { Credit as _fairlead_v1_Credit, Credit__Output as _fairlead_v1_Credit__Output } from './fairlead/v1/Credit.js';
import type { End as _fairlead_v1_End, End__Output as _fairlead_v1_End__Output } from './fairlead/v1/End.js';
import type { Error as _fairlead_v1_Error, Error__Output as _fairlead_v1_Error__Output } from './fairlead/v1/Error.js';
import type { KeepAlive as _fairlead_v1_KeepAlive, KeepAlive__Output as _fairlead_v1_KeepAlive__Output } from './fairlead/v1/KeepAlive.js';
import type { Request as _fairlead_v1_Request, Request__Output as _fairlead_v1_Request__Output } from './fairlead/v1/Request.js';
import type { RequestSinkClient as _fairlead_v1_RequestSinkClient, RequestSinkDefinition as _fairlead_v1_RequestSinkDefinition } from './fairlead/v1/RequestSink.js';
import type { Response as _fairlead_v1_Response, Response__Output as _fairlead_v1_Response__Output } from './fairlead/v1/Response.js';
import type { ServerFrame as _fairlead_v1_ServerFrame, ServerFrame__Output as _fairlead_v1_ServerFrame__Output } from './fairlead/v1/ServerFrame.js';
import type { SignalRequest as _fairlead_v1_SignalRequest, SignalRequest__Output as _fairlead_v1_SignalRequest__Output } from './fairlead/v1/SignalRequest.js';
import type { SignalResponse as _fairlead_v1_SignalResponse, SignalResponse__Output as _fairlead_v1_SignalResponse__Output } from './fairlead/v1/SignalResponse.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  fairlead: {
    v1: {
      Abort: MessageTypeDefinition<_fairlead_v1_Abort, _fairlead_v1_Abort__Output>
      ClientFrame: MessageTypeDefinition<_fairlead_v1_ClientFrame, _fairlead_v1_ClientFrame__Output>
      Credit: MessageTypeDefinition<_fairlead_v1_Credit, _fairlead_v1_Credit__Output>
      End: MessageTypeDefinition<_fairlead_v1_End, _fairlead_v1_End__Output>
      Error: MessageTypeDefinition<_fairlead_v1_Error, _fairlead_v1_Error__Output>
      KeepAlive: MessageTypeDefinition<_fairlead_v1_KeepAlive, _fairlead_v1_KeepAlive__Output>
      Priority: EnumTypeDefinition
      Request: MessageTypeDefinition<_fairlead_v1_Request, _fairlead_v1_Request__Output>
      RequestSink: SubtypeConstructor<typeof grpc.Client, _fairlead_v1_RequestSinkClient> & { service: _fairlead_v1_RequestSinkDefinition }
      Response: MessageTypeDefinition<_fairlead_v1_Response, _fairlead_v1_Response__Output>
      ServerFrame: MessageTypeDefinition<_fairlead_v1_ServerFrame, _fairlead_v1_ServerFrame__Output>
      SignalRequest: MessageTypeDefinition<_fairlead_v1_SignalRequest, _fairlead_v1_SignalRequest__Output>
      SignalResponse: MessageTypeDefinition<_fairlead_v1_SignalResponse, _fairlead_v1_SignalResponse__Output>
    }
  }
}

