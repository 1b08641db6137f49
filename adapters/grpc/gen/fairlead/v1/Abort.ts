// Original file: proto/fairlead/v1/request_sink.proto


export interface Abort {
  'reason'?: (string);
  'code'?: (string);
}

export interface Abort__Output {
  'reason': (string);
  'code': (string);
}
