export type { AckOutcome, IgnoredAck } from "./ack-outcome.js";
export { createEventService, type EventServiceOptions } from "./create-event-service.js";
export type { DeliveredEvent, EventDate, OutgoingEvent, StoredEvent } from "./event.js";
export type { EventCounts } from "./event-counts.js";
export type { EventService, EventSubscribeOptions, PostOptions } from "./event-service.js";
export type { EventSink, EventSubscription } from "./event-subscription.js";
export { type EventOptions, type ResolvedEventOptions, resolveEventOptions } from "./options.js";
