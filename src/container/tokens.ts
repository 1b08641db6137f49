import type { ServiceIdentifier } from "inversify";
import type { Driver } from "../driver/driver.js";
import type { EventService } from "../events/event-service.js";
import type { Gateway } from "../ports/gateway.js";
import type { Messaging } from "../ports/messaging.js";
import type { Observer } from "../ports/observer.js";
import type { ServedSink } from "./served-sink.js";
import type { Server } from "./server.js";

const token = <T>(name: string): ServiceIdentifier<T> => Symbol.for(`fairlead.${name}`) as ServiceIdentifier<T>;

/**
 * What modules bind and ask for. An adapter binds `Driver` or `Gateway`, an application its sinks as `Sink`; the rest is
 * bound by the messaging module.
 */
export const TOKENS = {
  Driver: token<Driver>("Driver"),
  Observer: token<Observer>("Observer"),
  Messaging: token<Messaging>("Messaging"),
  EventService: token<EventService>("EventService"),
  Gateway: token<Gateway>("Gateway"),
  Sink: token<ServedSink>("Sink"),
  Server: token<Server>("Server"),
} as const;
