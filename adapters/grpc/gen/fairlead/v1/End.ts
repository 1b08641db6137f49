// Original file: proto/fairlead/v1/request_sink.proto

import type { Long } from '@grpc/proto-loader';

export interface End {
  'total'?: (number | string | Long);
}

export interface End__Output {
  'total': (string);
}
