// Original file: proto/fairlead/v1/events.proto

import type { DeliveredEvent as _fairlead_v1_DeliveredEvent, DeliveredEvent__Output as _fairlead_v1_DeliveredEvent__Output } from '../../fairlead/v1/DeliveredEvent.js';
import type { AckResult as _fairlead_v1_AckResult, AckResult__Output as _fairlead_v1_AckResult__Output } from '../../fairlead/v1/AckResult.js';

export interface SubscribeResponse {
  'events'?: (_fairlead_v1_DeliveredEvent)[];
  'acks'?: (_fairlead_v1_AckResult)[];
}

export interface SubscribeResponse__Output {
  'events': (_fairlead_v1_DeliveredEvent__Output)[];
  'acks': (_fairlead_v1_AckResult__Output)[];
}
