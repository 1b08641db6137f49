// Original file: proto/fairlead/v1/inspection.proto

import type { MessageState as _fairlead_v1_MessageState, MessageState__Output as _fairlead_v1_MessageState__Output } from '../../fairlead/v1/MessageState.js';
import type { Long } from '@grpc/proto-loader';

export interface MessageSelection {
  'messageIds'?: (string)[];
  'headers'?: ({[key: string]: string});
  'states'?: (_fairlead_v1_MessageState)[];
  'dueFromMs'?: (number | string | Long);
  'dueBeforeMs'?: (number | string | Long);
  'limit'?: (number);
  '_dueFromMs'?: "dueFromMs";
  '_dueBeforeMs'?: "dueBeforeMs";
}

export interface MessageSelection__Output {
  'messageIds': (string)[];
  'headers': ({[key: string]: string});
  'states': (_fairlead_v1_MessageState__Output)[];
  'dueFromMs'?: (string);
  'dueBeforeMs'?: (string);
  'limit': (number);
  '_dueFromMs'?: "dueFromMs";
  '_dueBeforeMs'?: "dueBeforeMs";
}
