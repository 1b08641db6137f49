import { ContainerModule } from "inversify";
import { TOKENS } from "../../src/container/tokens.js";
import type { EventService } from "../../src/events/index.js";
import type { Gateway } from "../../src/ports/gateway.js";
import { type GrpcOptions, resolveGrpcOptions } from "./options.js";
import { createGrpcGateway } from "./server.js";

/** Binds `TOKENS.Gateway`: the event service over gRPC. Throws `INVALID_ARGUMENT` at once for options that are at fault. */
export function grpcModule(options: GrpcOptions = {}): ContainerModule {
  resolveGrpcOptions(options);
  return new ContainerModule(({ bind }) => {
    bind<Gateway>(TOKENS.Gateway)
      .toResolvedValue((events: EventService) => createGrpcGateway({ ...options, events }), [TOKENS.EventService])
      .inSingletonScope();
  });
}
