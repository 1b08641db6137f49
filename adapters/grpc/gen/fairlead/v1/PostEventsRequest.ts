// Original file: proto/fairlead/v1/events.proto

import type { NewEvent as _fairlead_v1_NewEvent, NewEvent__Output as _fairlead_v1_NewEvent__Output } from '../../fairlead/v1/NewEvent.js';

export interface PostEventsRequest {
  'events'?: (_fairlead_v1_NewEvent)[];
}

export interface PostEventsRequest__Output {
  'events': (_fairlead_v1_NewEvent__Output)[];
}
