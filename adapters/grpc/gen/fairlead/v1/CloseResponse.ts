// Original file: proto/fairlead/v1/events.proto


export interface CloseResponse {
}

export interface CloseResponse__Output {
}
