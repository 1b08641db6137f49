// Original file: proto/fairlead/v1/inspection.proto


export interface CountsRequest {
  'queue'?: (string);
}

export interface CountsRequest__Output {
  'queue': (string);
}
