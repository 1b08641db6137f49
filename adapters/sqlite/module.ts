import { ContainerModule } from "inversify";
import { TOKENS } from "../../src/container/tokens.js";
import { sqliteDriver } from "./driver.js";
import { resolveSqliteOptions, type SqliteOptions } from "./options.js";

/** Binds the driver of a file. Throws `INVALID_ARGUMENT`, with all faults, for options that it cannot use. */
export function sqliteModule(options: SqliteOptions): ContainerModule {
  // Bad options are told where they are written, not where the driver is first asked for.
  resolveSqliteOptions(options);
  return new ContainerModule(({ bind }) => {
    bind(TOKENS.Driver)
      .toResolvedValue(() => sqliteDriver(options))
      .inSingletonScope();
  });
}
