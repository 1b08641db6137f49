// Original file: proto/queue.proto


export interface AckResponse {
}

export interface AckResponse__Output {
}
