// Original file: proto/fairlead/v1/inspection.proto

import type { MessageState as _fairlead_v1_MessageState, MessageState__Output as _fairlead_v1_MessageState__Output } from '../../fairlead/v1/MessageState.js';
import type { Long } from '@grpc/proto-loader';

export interface InspectedMessage {
  'messageId'?: (string);
  'body'?: (Buffer | Uint8Array | string);
  'headers'?: ({[key: string]: string});
  'state'?: (_fairlead_v1_MessageState);
  'attempt'?: (number);
  'publishedAtMs'?: (number | string | Long);
  'dueAtMs'?: (number | string | Long);
  'changedAtMs'?: (number | string | Long);
  '_dueAtMs'?: "dueAtMs";
  '_changedAtMs'?: "changedAtMs";
}

export interface InspectedMessage__Output {
  'messageId': (string);
  'body': (Buffer);
  'headers': ({[key: string]: string});
  'state': (_fairlead_v1_MessageState__Output);
  'attempt': (number);
  'publishedAtMs': (string);
  'dueAtMs'?: (string);
  'changedAtMs'?: (string);
  '_dueAtMs'?: "dueAtMs";
  '_changedAtMs'?: "changedAtMs";
}
