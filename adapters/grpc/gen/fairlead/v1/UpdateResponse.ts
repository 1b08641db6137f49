// Original file: proto/fairlead/v1/inspection.proto


export interface UpdateResponse {
  'updated'?: (boolean);
}

export interface UpdateResponse__Output {
  'updated': (boolean);
}
