import { ContainerModule } from "inversify";
import { TOKENS } from "../../src/container/tokens.js";
import { memoryDriver } from "./driver.js";
import { type MemoryOptions, resolveMemoryOptions } from "./options.js";

/** Binds the driver of a memory broker. Throws `INVALID_ARGUMENT`, with all faults, for options that it cannot use. */
export function memoryModule(options?: MemoryOptions): ContainerModule {
  // Bad options are told where they are written, not where the driver is first asked for.
  resolveMemoryOptions(options);
  return new ContainerModule(({ bind }) => {
    bind(TOKENS.Driver)
      .toResolvedValue(() => memoryDriver(options))
      .inSingletonScope();
  });
}
