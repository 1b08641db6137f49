// Original file: proto/fairlead/v1/inspection.proto

import type { MessageSelection as _fairlead_v1_MessageSelection, MessageSelection__Output as _fairlead_v1_MessageSelection__Output } from '../../fairlead/v1/MessageSelection.js';

export interface ReplayRequest {
  'queue'?: (string);
  'selection'?: (_fairlead_v1_MessageSelection | null);
  'to'?: (string);
  'ratePerSecond'?: (number | string);
}

export interface ReplayRequest__Output {
  'queue': (string);
  'selection': (_fairlead_v1_MessageSelection__Output | null);
  'to': (string);
  'ratePerSecond': (number);
}
