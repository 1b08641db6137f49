import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { AckRequest as _fairlead_v1_AckRequest, AckRequest__Output as _fairlead_v1_AckRequest__Output } from './fairlead/v1/AckRequest.js';
import type { AckResponse as _fairlead_v1_AckResponse, AckResponse__Output as _fairlead_v1_AckResponse__Output } from './fairlead/v1/AckResponse.js';
import type { AckResult as _fairlead_v1_AckResult, AckResult__Output as _fairlead_v1_AckResult__Output } from './fairlead/v1/AckResult.js';
import type { CloseRequest as _fairlead_v1_CloseRequest, CloseRequest__Output as _fairlead_v1_CloseRequest__Output } from './fairlead/v1/CloseRequest.js';
import type { CloseResponse as _fairlead_v1_CloseResponse, CloseResponse__Output as _fairlead_v1_CloseResponse__Output } from './fairlead/v1/CloseResponse.js';
import type { DeliveredEvent as _fairlead_v1_DeliveredEvent, DeliveredEvent__Output as _fairlead_v1_DeliveredEvent__Output } from './fairlead/v1/DeliveredEvent.js';
import type { EventAck as _fairlead_v1_EventAck, EventAck__Output as _fairlead_v1_EventAck__Output } from './fairlead/v1/EventAck.js';
import type { EventsClient as _fairlead_v1_EventsClient, EventsDefinition as _fairlead_v1_EventsDefinition } from './fairlead/v1/Events.js';
import type { NewEvent as _fairlead_v1_NewEvent, NewEvent__Output as _fairlead_v1_NewEvent__Output } from './fairlead/v1/NewEvent.js';
import type { PostEventsRequest as _fairlead_v1_PostEventsRequest, PostEventsRequest__Output as _fairlead_v1_PostEventsRequest__Output } from './fairlead/v1/PostEventsRequest.js';
import type { PostEventsResponse as _fairlead_v1_PostEventsResponse, PostEventsResponse__Output as _fairlead_v1_PostEventsResponse__Output } from './fairlead/v1/PostEventsResponse.js';
import type { PostRequest as _fairlead_v1_PostRequest, PostRequest__Output as _fairlead_v1_PostRequest__Output } from './fairlead/v1/PostRequest.js';
import type { PostResponse as _fairlead_v1_PostResponse, PostResponse__Output as _fairlead_v1_PostResponse__Output } from './fairlead/v1/PostResponse.js';
import type { PostResult as _fairlead_v1_PostResult, PostResult__Output as _fairlead_v1_PostResult__Output } from './fairlead/v1/PostResult.js';
import type { SubscribeRequest as _fairlead_v1_SubscribeRequest, SubscribeRequest__Output as _fairlead_v1_SubscribeRequest__Output } from './fairlead/v1/SubscribeRequest.js';
import type { SubscribeResponse as _fairlead_v1_SubscribeResponse, SubscribeResponse__Output as _fairlead_v1_SubscribeResponse__Output } from './fairlead/v1/SubscribeResponse.js';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from './google/protobuf/Timestamp.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  fairlead: {
    v1: {
      AckOutcome: EnumTypeDefinition
      AckRequest: MessageTypeDefinition<_fairlead_v1_AckRequest, _fairlead_v1_AckRequest__Output>
      AckResponse: MessageTypeDefinition<_fairlead_v1_AckResponse, _fairlead_v1_AckResponse__Output>
      AckResult: MessageTypeDefinition<_fairlead_v1_AckResult, _fairlead_v1_AckResult__Output>
      CloseRequest: MessageTypeDefinition<_fairlead_v1_CloseRequest, _fairlead_v1_CloseRequest__Output>
      CloseResponse: MessageTypeDefinition<_fairlead_v1_CloseResponse, _fairlead_v1_CloseResponse__Output>
      DeliveredEvent: MessageTypeDefinition<_fairlead_v1_DeliveredEvent, _fairlead_v1_DeliveredEvent__Output>
      EventAck: MessageTypeDefinition<_fairlead_v1_EventAck, _fairlead_v1_EventAck__Output>
      Events: SubtypeConstructor<typeof grpc.Client, _fairlead_v1_EventsClient> & { service: _fairlead_v1_EventsDefinition }
      NewEvent: MessageTypeDefinition<_fairlead_v1_NewEvent, _fairlead_v1_NewEvent__Output>
      PostEventsRequest: MessageTypeDefinition<_fairlead_v1_PostEventsRequest, _fairlead_v1_PostEventsRequest__Output>
      PostEventsResponse: MessageTypeDefinition<_fairlead_v1_PostEventsResponse, _fairlead_v1_PostEventsResponse__Output>
      PostRequest: MessageTypeDefinition<_fairlead_v1_PostRequest, _fairlead_v1_PostRequest__Output>
      PostResponse: MessageTypeDefinition<_fairlead_v1_PostResponse, _fairlead_v1_PostResponse__Output>
      PostResult: MessageTypeDefinition<_fairlead_v1_PostResult, _fairlead_v1_PostResult__Output>
      SubscribeRequest: MessageTypeDefinition<_fairlead_v1_SubscribeRequest, _fairlead_v1_SubscribeRequest__Output>
      SubscribeResponse: MessageTypeDefinition<_fairlead_v1_SubscribeResponse, _fairlead_v1_SubscribeResponse__Output>
    }
  }
  google: {
    protobuf: {
      Timestamp: MessageTypeDefinition<_google_protobuf_Timestamp, _google_protobuf_Timestamp__Output>
    }
  }
}

