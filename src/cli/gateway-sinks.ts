import { MessagingError } from "../errors/messaging-error.js";
import type { Messaging } from "../ports/messaging.js";
import type { RequestSink } from "../ports/request-sink.js";

/** Different names that clients may make this process, and the broker, deal with in so long a time. */
const MAX_NAMES = 1_000;
const IN_USE_MS = 600_000;
/** Stands for every name. */
const ANY_SINK = "*";

/**
 * What gRPC clients reach: the sinks that are served here and those named, all of them over the broker, so that a call is
 * answered by any server of its sink and within its lanes, wherever it comes from. `now`: milliseconds that never go back.
 */
export function gatewaySinks(
  served: readonly string[],
  remote: readonly string[],
  now: () => number = () => performance.now(),
): (name: string, messaging: Messaging) => RequestSink | undefined {
  const known = new Set([...served, ...remote]);
  /** When each was last used, the longest unused first. */
  const others = new Map<string, number>();
  return (name, messaging) => {
    if (known.has(name)) return messaging.requestSink(name);
    if (!known.has(ANY_SINK)) return undefined;
    const sink = messaging.requestSink(name);
    // Each may become a queue on the broker.
    const [oldest] = others;
    if (!others.has(name) && others.size >= MAX_NAMES && oldest !== undefined) {
      const [unused, usedAt] = oldest;
      if (now() - usedAt < IN_USE_MS) {
        const text = `${MAX_NAMES} other sinks were called within ten minutes; name those that are meant with --remote-sinks`;
        throw new MessagingError("REJECTED", text);
      }
      others.delete(unused);
    }
    others.delete(name);
    others.set(name, now());
    return sink;
  };
}
