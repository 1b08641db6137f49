// Original file: proto/fairlead/v1/request_sink.proto

import type { Priority as _fairlead_v1_Priority, Priority__Output as _fairlead_v1_Priority__Output } from '../../fairlead/v1/Priority.js';
import type { Long } from '@grpc/proto-loader';

export interface Request {
  'sink'?: (string);
  'callId'?: (string);
  'body'?: (Buffer | Uint8Array | string);
  'bodyBytes'?: (number | string | Long);
  'contentType'?: (string);
  'headers'?: ({[key: string]: string});
  'priority'?: (_fairlead_v1_Priority);
  'idempotent'?: (boolean);
  'timeoutMs'?: (number | string | Long);
  'allowKeepAlive'?: (boolean);
  'oneWay'?: (boolean);
  'window'?: (number);
  'windowBytes'?: (number | string | Long);
  'timestampMs'?: (number | string | Long);
  '_allowKeepAlive'?: "allowKeepAlive";
}

export interface Request__Output {
  'sink': (string);
  'callId': (string);
  'body': (Buffer);
  'bodyBytes': (string);
  'contentType': (string);
  'headers': ({[key: string]: string});
  'priority': (_fairlead_v1_Priority__Output);
  'idempotent': (boolean);
  'timeoutMs': (string);
  'allowKeepAlive'?: (boolean);
  'oneWay': (boolean);
  'window': (number);
  'windowBytes': (string);
  'timestampMs': (string);
  '_allowKeepAlive'?: "allowKeepAlive";
}
