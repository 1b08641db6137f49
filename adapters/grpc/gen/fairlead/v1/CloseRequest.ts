// Original file: proto/fairlead/v1/events.proto


export interface CloseRequest {
  'clientId'?: (string);
}

export interface CloseRequest__Output {
  'clientId': (string);
}
