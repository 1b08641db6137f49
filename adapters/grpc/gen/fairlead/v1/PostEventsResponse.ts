// Original file: proto/fairlead/v1/events.proto

import type { PostResult as _fairlead_v1_PostResult, PostResult__Output as _fairlead_v1_PostResult__Output } from '../../fairlead/v1/PostResult.js';

export interface PostEventsResponse {
  'results'?: (_fairlead_v1_PostResult)[];
}

export interface PostEventsResponse__Output {
  'results': (_fairlead_v1_PostResult__Output)[];
}
