// Original file: proto/queue.proto


export interface CloseRequest {
  'clientId'?: (string);
}

export interface CloseRequest__Output {
  'clientId': (string);
}
