// Original file: proto/fairlead/v1/request_sink.proto

import type { Long } from '@grpc/proto-loader';

export interface KeepAlive {
  'extendMs'?: (number | string | Long);
}

export interface KeepAlive__Output {
  'extendMs': (string);
}
