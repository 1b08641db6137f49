import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { BrowseRequest as _fairlead_v1_BrowseRequest, BrowseRequest__Output as _fairlead_v1_BrowseRequest__Output } from './fairlead/v1/BrowseRequest.js';
import type { CountsRequest as _fairlead_v1_CountsRequest, CountsRequest__Output as _fairlead_v1_CountsRequest__Output } from './fairlead/v1/CountsRequest.js';
import type { CountsResponse as _fairlead_v1_CountsResponse, CountsResponse__Output as _fairlead_v1_CountsResponse__Output } from './fairlead/v1/CountsResponse.js';
import type { InspectedMessage as _fairlead_v1_InspectedMessage, InspectedMessage__Output as _fairlead_v1_InspectedMessage__Output } from './fairlead/v1/InspectedMessage.js';
import type { InspectionClient as _fairlead_v1_InspectionClient, InspectionDefinition as _fairlead_v1_InspectionDefinition } from './fairlead/v1/Inspection.js';
import type { MessageSelection as _fairlead_v1_MessageSelection, MessageSelection__Output as _fairlead_v1_MessageSelection__Output } from './fairlead/v1/MessageSelection.js';
import type { RemoveRequest as _fairlead_v1_RemoveRequest, RemoveRequest__Output as _fairlead_v1_RemoveRequest__Output } from './fairlead/v1/RemoveRequest.js';
import type { RemoveResponse as _fairlead_v1_RemoveResponse, RemoveResponse__Output as _fairlead_v1_RemoveResponse__Output } from './fairlead/v1/RemoveResponse.js';
import type { ReplayProgress as _fairlead_v1_ReplayProgress, ReplayProgress__Output as _fairlead_v1_ReplayProgress__Output } from './fairlead/v1/ReplayProgress.js';
import type { ReplayRequest as _fairlead_v1_ReplayRequest, ReplayRequest__Output as _fairlead_v1_ReplayRequest__Output } from './fairlead/v1/ReplayRequest.js';
import type { UpdateRequest as _fairlead_v1_UpdateRequest, UpdateRequest__Output as _fairlead_v1_UpdateRequest__Output } from './fairlead/v1/UpdateRequest.js';
import type { UpdateResponse as _fairlead_v1_UpdateResponse, UpdateResponse__Output as _fairlead_v1_UpdateResponse__Output } from './fairlead/v1/UpdateResponse.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  fairlead: {
    v1: {
      BrowseRequest: MessageTypeDefinition<_fairlead_v1_BrowseRequest, _fairlead_v1_BrowseRequest__Output>
      CountsRequest: MessageTypeDefinition<_fairlead_v1_CountsRequest, _fairlead_v1_CountsRequest__Output>
      CountsResponse: MessageTypeDefinition<_fairlead_v1_CountsResponse, _fairlead_v1_CountsResponse__Output>
      InspectedMessage: MessageTypeDefinition<_fairlead_v1_InspectedMessage, _fairlead_v1_InspectedMessage__Output>
      Inspection: SubtypeConstructor<typeof grpc.Client, _fairlead_v1_InspectionClient> & { service: _fairlead_v1_InspectionDefinition }
      MessageSelection: MessageTypeDefinition<_fairlead_v1_MessageSelection, _fairlead_v1_MessageSelection__Output>
      MessageState: EnumTypeDefinition
      RemoveRequest: MessageTypeDefinition<_fairlead_v1_RemoveRequest, _fairlead_v1_RemoveRequest__Output>
      RemoveResponse: MessageTypeDefinition<_fairlead_v1_RemoveResponse, _fairlead_v1_RemoveResponse__Output>
      ReplayProgress: MessageTypeDefinition<_fairlead_v1_ReplayProgress, _fairlead_v1_ReplayProgress__Output>
      ReplayRequest: MessageTypeDefinition<_fairlead_v1_ReplayRequest, _fairlead_v1_ReplayRequest__Output>
      UpdateRequest: MessageTypeDefinition<_fairlead_v1_UpdateRequest, _fairlead_v1_UpdateRequest__Output>
      UpdateResponse: MessageTypeDefinition<_fairlead_v1_UpdateResponse, _fairlead_v1_UpdateResponse__Output>
    }
  }
}

