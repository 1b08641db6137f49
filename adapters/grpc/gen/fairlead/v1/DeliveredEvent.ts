// Original file: proto/fairlead/v1/events.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.js';
import type { Long } from '@grpc/proto-loader';

export interface DeliveredEvent {
  'ackToken'?: (string);
  'attempt'?: (number);
  'body'?: (Buffer | Uint8Array | string);
  'clientId'?: (string);
  'userToken'?: (string);
  'effectiveDate'?: (_google_protobuf_Timestamp | null);
  'searchKey1'?: (number | string | Long);
  'searchKey2'?: (number | string | Long);
}

export interface DeliveredEvent__Output {
  'ackToken': (string);
  'attempt': (number);
  'body': (Buffer);
  'clientId': (string);
  'userToken': (string);
  'effectiveDate': (_google_protobuf_Timestamp__Output | null);
  'searchKey1': (string);
  'searchKey2': (string);
}
