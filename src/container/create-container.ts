import "reflect-metadata";
import { Container, type ContainerModule } from "inversify";
import { MessagingError } from "../errors/messaging-error.js";
import { messagingModule } from "./messaging-module.js";
import { TOKENS } from "./tokens.js";

/**
 * A container with these modules, everything in it once. A `messagingModule()` is added unless one of them binds
 * `TOKENS.Messaging`. Ask it for `TOKENS.Messaging` or `TOKENS.Server`; `unbindAllAsync()` closes what was made, in
 * order. Throws `INVALID_ARGUMENT` when no module brings a broker.
 */
export function createContainer(...modules: ContainerModule[]): Container {
  const container = new Container({ defaultScope: "Singleton" });
  container.load(...modules);
  if (!container.isBound(TOKENS.Driver) && !container.isBound(TOKENS.Messaging)) {
    throw new MessagingError(
      "INVALID_ARGUMENT",
      "no module brings a broker: add memoryModule() or rabbitmqModule({ url })",
    );
  }
  if (!container.isBound(TOKENS.Messaging)) container.load(messagingModule());
  return container;
}
