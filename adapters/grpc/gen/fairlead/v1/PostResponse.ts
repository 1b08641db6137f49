// Original file: proto/fairlead/v1/events.proto


export interface PostResponse {
}

export interface PostResponse__Output {
}
