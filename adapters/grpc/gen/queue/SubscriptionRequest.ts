// Original file: proto/queue.proto

import type { Long } from '@grpc/proto-loader';

export interface SubscriptionRequest {
  'clientId'?: (string);
  'searchKey2'?: (number | string | Long);
}

export interface SubscriptionRequest__Output {
  'clientId': (string);
  'searchKey2': (string);
}
