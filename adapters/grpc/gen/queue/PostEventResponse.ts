// Original file: proto/queue.proto


export interface PostEventResponse {
}

export interface PostEventResponse__Output {
}
