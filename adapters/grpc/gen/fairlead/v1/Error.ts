// Original file: proto/fairlead/v1/request_sink.proto


export interface Error {
  'code'?: (string);
  'message'?: (string);
  'retryable'?: (boolean);
}

export interface Error__Output {
  'code': (string);
  'message': (string);
  'retryable': (boolean);
}
