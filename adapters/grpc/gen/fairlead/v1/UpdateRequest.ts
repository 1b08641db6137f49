// Original file: proto/fairlead/v1/inspection.proto


export interface UpdateRequest {
  'queue'?: (string);
  'messageId'?: (string);
  'body'?: (Buffer | Uint8Array | string);
}

export interface UpdateRequest__Output {
  'queue': (string);
  'messageId': (string);
  'body': (Buffer);
}
