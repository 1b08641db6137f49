import { MessagingError } from "../errors/messaging-error.js";
import type { Messaging } from "../ports/messaging.js";
import type { RequestSink } from "../ports/request-sink.js";

/** Different names that clients may make this process remember. */
const MAX_NAMES = 1_000;
/** Stands for every name. */
const ANY_SINK = "*";

/**
 * What gRPC clients reach: the sinks that are served here and those named, all of them over the broker, so that a call is
 * answered by any server of its sink and within its lanes, wherever it comes from.
 */
export function gatewaySinks(
  served: readonly string[],
  remote: readonly string[],
): (name: string, messaging: Messaging) => RequestSink | undefined {
  const known = new Set([...served, ...remote]);
  const others = new Set<string>();
  return (name, messaging) => {
    if (known.has(name)) return messaging.requestSink(name);
    if (!known.has(ANY_SINK)) return undefined;
    const sink = messaging.requestSink(name);
    // Each may become a queue on the broker.
    if (!others.has(name) && others.size >= MAX_NAMES) {
      const text = `this server knows ${MAX_NAMES} other sinks already; name those that are meant with --remote-sinks`;
      throw new MessagingError("REJECTED", text);
    }
    others.add(name);
    return sink;
  };
}
