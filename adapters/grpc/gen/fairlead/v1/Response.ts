// Original file: proto/fairlead/v1/request_sink.proto

import type { Long } from '@grpc/proto-loader';

export interface Response {
  'sequence'?: (number | string | Long);
  'body'?: (Buffer | Uint8Array | string);
  'bodyBytes'?: (number | string | Long);
  'contentType'?: (string);
  'headers'?: ({[key: string]: string});
}

export interface Response__Output {
  'sequence': (string);
  'body': (Buffer);
  'bodyBytes': (string);
  'contentType': (string);
  'headers': ({[key: string]: string});
}
