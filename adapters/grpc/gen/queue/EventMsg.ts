// Original file: proto/queue.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../google/protobuf/Timestamp.js';
import type { Long } from '@grpc/proto-loader';

export interface EventMsg {
  'clientId'?: (string);
  'eventJson'?: (string);
  'userToken'?: (string);
  'futureUserToken'?: (string);
  'effectiveDate'?: (_google_protobuf_Timestamp | null);
  'searchKey1'?: (number | string | Long);
  'searchKey2'?: (number | string | Long);
}

export interface EventMsg__Output {
  'clientId': (string);
  'eventJson': (string);
  'userToken': (string);
  'futureUserToken': (string);
  'effectiveDate': (_google_protobuf_Timestamp__Output | null);
  'searchKey1': (string);
  'searchKey2': (string);
}
