// Original file: proto/fairlead/v1/events.proto

import type { EventAck as _fairlead_v1_EventAck, EventAck__Output as _fairlead_v1_EventAck__Output } from '../../fairlead/v1/EventAck.js';

export interface AckRequest {
  'acks'?: (_fairlead_v1_EventAck)[];
}

export interface AckRequest__Output {
  'acks': (_fairlead_v1_EventAck__Output)[];
}
