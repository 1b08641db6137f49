// Original file: proto/fairlead/v1/request_sink.proto

import type { Priority as _fairlead_v1_Priority, Priority__Output as _fairlead_v1_Priority__Output } from '../../fairlead/v1/Priority.js';
import type { Long } from '@grpc/proto-loader';

export interface SignalRequest {
  'sink'?: (string);
  'callId'?: (string);
  'body'?: (Buffer | Uint8Array | string);
  'contentType'?: (string);
  'headers'?: ({[key: string]: string});
  'priority'?: (_fairlead_v1_Priority);
  'idempotent'?: (boolean);
  'timeoutMs'?: (number | string | Long);
  'allowKeepAlive'?: (boolean);
  'timestampMs'?: (number | string | Long);
  '_allowKeepAlive'?: "allowKeepAlive";
}

export interface SignalRequest__Output {
  'sink': (string);
  'callId': (string);
  'body': (Buffer);
  'contentType': (string);
  'headers': ({[key: string]: string});
  'priority': (_fairlead_v1_Priority__Output);
  'idempotent': (boolean);
  'timeoutMs': (string);
  'allowKeepAlive'?: (boolean);
  'timestampMs': (string);
  '_allowKeepAlive'?: "allowKeepAlive";
}
