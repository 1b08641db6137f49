import {
  createEventService,
  type DeliveredEvent,
  type EventService,
  type EventServiceOptions,
  type EventSink,
  type EventSubscribeOptions,
} from "../../../src/events/index.js";
import { withChanges } from "../with-changes.js";

export interface BrokenEventService {
  readonly name: string;
  readonly eventService: (options: EventServiceOptions) => EventService;
  /** Ids that must fail. Others may: what is wrong with a service shows in many places. */
  readonly caughtBy: readonly string[];
}

export function withOptions(change: (options: EventServiceOptions) => Partial<EventServiceOptions>) {
  return (options: EventServiceOptions) => createEventService({ ...options, ...change(options) });
}

export function withService(change: (real: EventService, options: EventServiceOptions) => Partial<EventService>) {
  return (options: EventServiceOptions) => {
    const real = createEventService(options);
    return withChanges(real, change(real, options));
  };
}

/** What a subscriber is handed, or its sink, is another. */
export function withSinks(change: (sink: EventSink, real: EventService) => EventSink) {
  return withService((real) => ({
    subscribe: (clientId: string, sink: EventSink, options?: EventSubscribeOptions) =>
      real.subscribe(clientId, change(sink, real), options),
  }));
}

export function withEvents(change: (event: DeliveredEvent) => DeliveredEvent) {
  return withSinks((sink) => ({ deliver: (event) => sink.deliver(change(event)), end: () => sink.end?.() }));
}
