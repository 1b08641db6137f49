import { ContainerModule } from "inversify";
import type { ServedSink } from "./served-sink.js";
import { TOKENS } from "./tokens.js";

/** Binds sinks that the server of this process then serves on the broker. */
export function sinkModule(sinks: readonly ServedSink[]): ContainerModule {
  return new ContainerModule(({ bind }) => {
    for (const sink of sinks) bind<ServedSink>(TOKENS.Sink).toConstantValue(sink);
  });
}
