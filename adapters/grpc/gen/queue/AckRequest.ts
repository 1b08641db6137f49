// Original file: proto/queue.proto


export interface AckRequest {
  'userToken'?: (string);
  'success'?: (boolean);
}

export interface AckRequest__Output {
  'userToken': (string);
  'success': (boolean);
}
