import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from './google/protobuf/Timestamp.js';
import type { AckRequest as _queue_AckRequest, AckRequest__Output as _queue_AckRequest__Output } from './queue/AckRequest.js';
import type { AckResponse as _queue_AckResponse, AckResponse__Output as _queue_AckResponse__Output } from './queue/AckResponse.js';
import type { CloseRequest as _queue_CloseRequest, CloseRequest__Output as _queue_CloseRequest__Output } from './queue/CloseRequest.js';
import type { CloseResponse as _queue_CloseResponse, CloseResponse__Output as _queue_CloseResponse__Output } from './queue/CloseResponse.js';
import type { EventMsg as _queue_EventMsg, EventMsg__Output as _queue_EventMsg__Output } from './queue/EventMsg.js';
import type { PostEventResponse as _queue_PostEventResponse, PostEventResponse__Output as _queue_PostEventResponse__Output } from './queue/PostEventResponse.js';
import type { QueueApiClient as _queue_QueueApiClient, QueueApiDefinition as _queue_QueueApiDefinition } from './queue/QueueApi.js';
import type { SubscriptionRequest as _queue_SubscriptionRequest, SubscriptionRequest__Output as _queue_SubscriptionRequest__Output } from './queue/SubscriptionRequest.js';
import type { SubscriptionResponse as _queue_SubscriptionResponse, SubscriptionResponse__Output as _queue_SubscriptionResponse__Output } from './queue/SubscriptionResponse.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  google: {
    protobuf: {
      Timestamp: MessageTypeDefinition<_google_protobuf_Timestamp, _google_protobuf_Timestamp__Output>
    }
  }
  queue: {
    AckRequest: MessageTypeDefinition<_queue_AckRequest, _queue_AckRequest__Output>
    AckResponse: MessageTypeDefinition<_queue_AckResponse, _queue_AckResponse__Output>
    CloseRequest: MessageTypeDefinition<_queue_CloseRequest, _queue_CloseRequest__Output>
    CloseResponse: MessageTypeDefinition<_queue_CloseResponse, _queue_CloseResponse__Output>
    EventMsg: MessageTypeDefinition<_queue_EventMsg, _queue_EventMsg__Output>
    PostEventResponse: MessageTypeDefinition<_queue_PostEventResponse, _queue_PostEventResponse__Output>
    QueueApi: SubtypeConstructor<typeof grpc.Client, _queue_QueueApiClient> & { service: _queue_QueueApiDefinition }
    SubscriptionRequest: MessageTypeDefinition<_queue_SubscriptionRequest, _queue_SubscriptionRequest__Output>
    SubscriptionResponse: MessageTypeDefinition<_queue_SubscriptionResponse, _queue_SubscriptionResponse__Output>
  }
}

