// Original file: proto/fairlead/v1/events.proto

import type { NewEvent as _fairlead_v1_NewEvent, NewEvent__Output as _fairlead_v1_NewEvent__Output } from '../../fairlead/v1/NewEvent.js';

export interface PostRequest {
  'event'?: (_fairlead_v1_NewEvent | null);
}

export interface PostRequest__Output {
  'event': (_fairlead_v1_NewEvent__Output | null);
}
