// Original file: proto/queue.proto


export interface CloseResponse {
}

export interface CloseResponse__Output {
}
