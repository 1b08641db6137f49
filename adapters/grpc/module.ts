import { ContainerModule } from "inversify";
import { TOKENS } from "../../src/container/tokens.js";
import type { EventService } from "../../src/events/index.js";
import type { Gateway } from "../../src/ports/gateway.js";
import type { Messaging } from "../../src/ports/messaging.js";
import type { Observer } from "../../src/ports/observer.js";
import type { RequestSink } from "../../src/ports/request-sink.js";
import { type GrpcOptions, resolveGrpcOptions } from "./options.js";
import { createGrpcGateway } from "./server.js";

export interface GrpcModuleOptions extends GrpcOptions {
  /**
   * Sinks to serve, by name, or a function that finds one, as it may on the broker:
   * `(name, messaging) => messaging.requestSink(name)`. Default: none.
   */
  readonly sinks?:
    | Readonly<Record<string, RequestSink>>
    | ((name: string, messaging: Messaging) => RequestSink | undefined)
    | undefined;
}

/**
 * Binds `TOKENS.Gateway`: the event service, and sinks if there are any, over gRPC. Throws `INVALID_ARGUMENT` at once for
 * options that are at fault.
 */
export function grpcModule({ sinks, ...options }: GrpcModuleOptions = {}): ContainerModule {
  resolveGrpcOptions(options);
  return new ContainerModule(({ bind }) => {
    bind<Gateway>(TOKENS.Gateway)
      .toResolvedValue(
        (events: EventService, messaging: Messaging, observers: Observer[]) => {
          const found = typeof sinks === "function" ? (name: string) => sinks(name, messaging) : sinks;
          return createGrpcGateway({ ...options, events, sinks: found, observers });
        },
        [TOKENS.EventService, TOKENS.Messaging, { serviceIdentifier: TOKENS.Observer, isMultiple: true }],
      )
      .inSingletonScope();
  });
}
