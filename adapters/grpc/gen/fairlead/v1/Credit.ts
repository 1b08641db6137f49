// Original file: proto/fairlead/v1/request_sink.proto

import type { Long } from '@grpc/proto-loader';

export interface Credit {
  'taken'?: (number | string | Long);
}

export interface Credit__Output {
  'taken': (string);
}
