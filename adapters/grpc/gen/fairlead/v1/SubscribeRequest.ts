// Original file: proto/fairlead/v1/events.proto

import type { EventAck as _fairlead_v1_EventAck, EventAck__Output as _fairlead_v1_EventAck__Output } from '../../fairlead/v1/EventAck.js';
import type { Long } from '@grpc/proto-loader';

export interface SubscribeRequest {
  'clientId'?: (string);
  'credit'?: (number | string | Long);
  'acks'?: (_fairlead_v1_EventAck)[];
  '_credit'?: "credit";
}

export interface SubscribeRequest__Output {
  'clientId': (string);
  'credit'?: (string);
  'acks': (_fairlead_v1_EventAck__Output)[];
  '_credit'?: "credit";
}
