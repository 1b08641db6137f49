// Original file: proto/fairlead/v1/events.proto

import type { AckOutcome as _fairlead_v1_AckOutcome, AckOutcome__Output as _fairlead_v1_AckOutcome__Output } from '../../fairlead/v1/AckOutcome.js';

export interface AckResult {
  'ackToken'?: (string);
  'outcome'?: (_fairlead_v1_AckOutcome);
}

export interface AckResult__Output {
  'ackToken': (string);
  'outcome': (_fairlead_v1_AckOutcome__Output);
}
