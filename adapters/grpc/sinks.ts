import { MessagingError } from "../../src/errors/messaging-error.js";
import type { RequestSink } from "../../src/ports/request-sink.js";

/**
 * What the gateway serves: sinks by name, or a function that finds one; `undefined` from it is answered with `NOT_FOUND`.
 * It is asked for every call, so it must be quick.
 */
export type Sinks = Readonly<Record<string, RequestSink>> | ((name: string) => RequestSink | undefined);

/** Throws `NOT_FOUND` that names the sink, and what a function throws. */
export function findSink(sinks: Sinks, name: string): RequestSink {
  const sink = typeof sinks === "function" ? sinks(name) : Object.hasOwn(sinks, name) ? sinks[name] : undefined;
  if (sink !== undefined) return sink;
  throw new MessagingError("NOT_FOUND", `there is no sink ${JSON.stringify(name.slice(0, 150))} on this server`);
}
