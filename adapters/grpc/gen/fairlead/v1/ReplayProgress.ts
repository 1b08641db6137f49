// Original file: proto/fairlead/v1/inspection.proto

import type { Long } from '@grpc/proto-loader';

export interface ReplayProgress {
  'moved'?: (number | string | Long);
}

export interface ReplayProgress__Output {
  'moved': (string);
}
