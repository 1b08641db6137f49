// Original file: proto/fairlead/v1/events.proto

import type { AckResult as _fairlead_v1_AckResult, AckResult__Output as _fairlead_v1_AckResult__Output } from '../../fairlead/v1/AckResult.js';

export interface AckResponse {
  'results'?: (_fairlead_v1_AckResult)[];
}

export interface AckResponse__Output {
  'results': (_fairlead_v1_AckResult__Output)[];
}
