// Original file: proto/fairlead/v1/inspection.proto

import type { Long } from '@grpc/proto-loader';

export interface CountsResponse {
  'ready'?: (number | string | Long);
  'delayed'?: (number | string | Long);
  'inProcessing'?: (number | string | Long);
  'oldestReadyMs'?: (number | string | Long);
  '_delayed'?: "delayed";
  '_inProcessing'?: "inProcessing";
  '_oldestReadyMs'?: "oldestReadyMs";
}

export interface CountsResponse__Output {
  'ready': (string);
  'delayed'?: (string);
  'inProcessing'?: (string);
  'oldestReadyMs'?: (string);
  '_delayed'?: "delayed";
  '_inProcessing'?: "inProcessing";
  '_oldestReadyMs'?: "oldestReadyMs";
}
