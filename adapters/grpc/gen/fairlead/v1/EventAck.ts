// Original file: proto/fairlead/v1/events.proto


export interface EventAck {
  'ackToken'?: (string);
  'success'?: (boolean);
}

export interface EventAck__Output {
  'ackToken': (string);
  'success': (boolean);
}
