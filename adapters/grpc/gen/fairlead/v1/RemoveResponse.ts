// Original file: proto/fairlead/v1/inspection.proto

import type { Long } from '@grpc/proto-loader';

export interface RemoveResponse {
  'removed'?: (number | string | Long);
}

export interface RemoveResponse__Output {
  'removed': (string);
}
