// Original file: proto/fairlead/v1/events.proto

import type { Long } from '@grpc/proto-loader';

export interface PostResult {
  'first'?: (number | string | Long);
  'last'?: (number | string | Long);
  'status'?: (number);
  'code'?: (string);
  'message'?: (string);
  'retryable'?: (boolean);
}

export interface PostResult__Output {
  'first': (string);
  'last': (string);
  'status': (number);
  'code': (string);
  'message': (string);
  'retryable': (boolean);
}
