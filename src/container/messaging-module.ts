import { ContainerModule } from "inversify";
import { createMessaging } from "../core/messaging.js";
import type { Driver } from "../driver/driver.js";
import { createEventService, type EventOptions, type EventService } from "../events/index.js";
import type { NodeId } from "../ports/broadcast.js";
import type { Gateway } from "../ports/gateway.js";
import type { Messaging } from "../ports/messaging.js";
import type { Observer } from "../ports/observer.js";
import type { ServedSink } from "./served-sink.js";
import { Server } from "./server.js";
import { TOKENS } from "./tokens.js";

export interface MessagingModuleOptions {
  /** Told everything, bound as `TOKENS.Observer` besides those that modules bind. Default: none. */
  readonly observers?: readonly Observer[] | undefined;
  /** The ServerNodeID of this process. Default: a random UUID. */
  readonly nodeId?: NodeId | undefined;
  /** How long the first opening may take. Default: as `createMessaging`. */
  readonly connectTimeoutMs?: number | undefined;
  /** For the event service. */
  readonly events?: EventOptions | undefined;
}

/**
 * Binds what stands on a driver: `Messaging`, `EventService` and `Server`, each once. Exactly one binding has a
 * deactivation, since inversify deactivates all of them at the same time and order matters here.
 */
export function messagingModule(options: MessagingModuleOptions = {}): ContainerModule {
  const { observers: own = [], nodeId, connectTimeoutMs, events: eventOptions = {} } = options;
  return new ContainerModule(({ bind }) => {
    // Gateways find them there, too.
    for (const observer of own) bind<Observer>(TOKENS.Observer).toConstantValue(observer);
    const toObservers = { serviceIdentifier: TOKENS.Observer, isMultiple: true as const };
    let events: EventService | undefined;
    let server: Server | undefined;

    bind<Messaging>(TOKENS.Messaging)
      .toResolvedValue(
        (driver: Driver, bound: Observer[]) => createMessaging({ driver, observers: bound, nodeId, connectTimeoutMs }),
        [TOKENS.Driver, toObservers],
      )
      .inSingletonScope()
      // On the binding, not on the container: a container's own handlers are not all awaited.
      .onDeactivation((messaging) => (server ?? new Server({ messaging, events })).close());

    bind<EventService>(TOKENS.EventService)
      .toResolvedValue(
        (messaging: Messaging, bound: Observer[]) => {
          events = createEventService({ ...eventOptions, messaging, observers: bound });
          return events;
        },
        [TOKENS.Messaging, toObservers],
      )
      .inSingletonScope();

    bind<Server>(TOKENS.Server)
      .toResolvedValue(
        (messaging: Messaging, service: EventService, gateways: Gateway[], sinks: ServedSink[], bound: Observer[]) => {
          server = new Server({ messaging, events: service, gateways, sinks, observers: bound });
          return server;
        },
        [
          TOKENS.Messaging,
          TOKENS.EventService,
          { serviceIdentifier: TOKENS.Gateway, isMultiple: true },
          { serviceIdentifier: TOKENS.Sink, isMultiple: true },
          toObservers,
        ],
      )
      .inSingletonScope();
  });
}
