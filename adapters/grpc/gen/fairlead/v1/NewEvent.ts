// Original file: proto/fairlead/v1/events.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.js';
import type { Long } from '@grpc/proto-loader';

export interface NewEvent {
  'postId'?: (string);
  'clientId'?: (string);
  'body'?: (Buffer | Uint8Array | string);
  'userToken'?: (string);
  'effectiveDate'?: (_google_protobuf_Timestamp | null);
  'searchKey1'?: (number | string | Long);
  'searchKey2'?: (number | string | Long);
}

export interface NewEvent__Output {
  'postId': (string);
  'clientId': (string);
  'body': (Buffer);
  'userToken': (string);
  'effectiveDate': (_google_protobuf_Timestamp__Output | null);
  'searchKey1': (string);
  'searchKey2': (string);
}
