// Original file: proto/queue.proto


export interface SubscriptionResponse {
}

export interface SubscriptionResponse__Output {
}
