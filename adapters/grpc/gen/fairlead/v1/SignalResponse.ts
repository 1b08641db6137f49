// Original file: proto/fairlead/v1/request_sink.proto


export interface SignalResponse {
  'body'?: (Buffer | Uint8Array | string);
  'contentType'?: (string);
  'headers'?: ({[key: string]: string});
}

export interface SignalResponse__Output {
  'body': (Buffer);
  'contentType': (string);
  'headers': ({[key: string]: string});
}
