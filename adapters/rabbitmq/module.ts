import { ContainerModule } from "inversify";
import { TOKENS } from "../../src/container/tokens.js";
import { RabbitmqDriver } from "./driver.js";
import { DelayLadder } from "./ladder.js";
import { type RabbitmqOptions, resolveRabbitmqOptions } from "./options.js";

/** Binds the driver for RabbitMQ. Throws `INVALID_ARGUMENT` for faulty options, here and not when first used. */
export function rabbitmqModule(options: RabbitmqOptions): ContainerModule {
  const resolved = resolveRabbitmqOptions(options);
  return new ContainerModule(({ bind }) => {
    bind(TOKENS.Driver)
      .toResolvedValue(() => new RabbitmqDriver(resolved, new DelayLadder()))
      .inSingletonScope();
  });
}
