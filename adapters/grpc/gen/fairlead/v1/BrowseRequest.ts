// Original file: proto/fairlead/v1/inspection.proto

import type { MessageSelection as _fairlead_v1_MessageSelection, MessageSelection__Output as _fairlead_v1_MessageSelection__Output } from '../../fairlead/v1/MessageSelection.js';

export interface BrowseRequest {
  'queue'?: (string);
  'selection'?: (_fairlead_v1_MessageSelection | null);
}

export interface BrowseRequest__Output {
  'queue': (string);
  'selection': (_fairlead_v1_MessageSelection__Output | null);
}
