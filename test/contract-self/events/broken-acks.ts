import { queueTag } from "../../../src/events/ack-token.js";
import { createEventService, type EventServiceOptions } from "../../../src/events/index.js";
import type { Messaging } from "../../../src/index.js";
import { withChanges } from "../with-changes.js";
import { type BrokenEventService, withOptions, withService } from "./broken-event-service.js";

/** What servers say to each other gets lost: to one of them, or to all. */
function deaf(lost: "to-one" | "to-all") {
  return withOptions(({ messaging }) => {
    const broadcast = (name: string, options = {}) => {
      const real = messaging.broadcast(name, options);
      return withChanges(real, {
        publish: async (message, given) => {
          if ((given?.node === undefined) !== (lost === "to-all")) await real.publish(message, given);
        },
      });
    };
    return { messaging: withChanges(messaging, { broadcast: broadcast as Messaging["broadcast"] }) };
  });
}

/** Events cannot be told apart but by their messageIds. */
function unmarked({ messaging }: EventServiceOptions): Partial<EventServiceOptions> {
  const queue = (name: string, options = {}) => {
    const real = messaging.queue(name, options);
    return withChanges(real, {
      publish: ({ headers, ...message }, given) =>
        real.publish({ ...message, headers: { ...headers, "event-mark": "0".repeat(32) } }, given),
    });
  };
  return { messaging: withChanges(messaging, { queue: queue as Messaging["queue"] }) };
}

/** Which event is acknowledged, at whichever server. */
export const brokenAcks: readonly BrokenEventService[] = [
  {
    name: "takes events with the same id for the same event, and an event's token for that of any other",
    eventService: withOptions(unmarked),
    caughtBy: ["E-107", "E-109"],
  },
  {
    name: "takes the tokens of other queues for its own, and events with the same id for the same event",
    eventService: (options) => {
      const real = createEventService({ ...options, ...unmarked(options) });
      const own = queueTag(real.queue);
      return withChanges(real, {
        ack: (token, success) =>
          real.ack(
            token.replace(/^([^.]+\.[^.]+\.)[^.]+/, (_, head: string) => head + own),
            success,
          ),
      });
    },
    caughtBy: ["E-107", "E-108", "E-109"],
  },
  {
    name: "listens to other servers only once it has a subscriber",
    eventService: (options) => {
      let onSubscriber: () => void = () => {};
      const first = new Promise<void>((resolve) => {
        onSubscriber = resolve;
      });
      const broadcast = (name: string, given = {}) => {
        const real = options.messaging.broadcast(name, given);
        return withChanges(real, {
          subscribe: async (handler, subscribing) => {
            await first;
            return real.subscribe(handler, subscribing);
          },
        });
      };
      const messaging = withChanges(options.messaging, { broadcast: broadcast as Messaging["broadcast"] });
      const real = createEventService({ ...options, messaging });
      return withChanges(real, {
        subscribe(clientId, sink, given) {
          onSubscriber();
          return real.subscribe(clientId, sink, given);
        },
        async close(given) {
          onSubscriber();
          await real.close(given);
        },
      });
    },
    caughtBy: ["E-101"],
  },
  {
    name: "sends no acks to other servers",
    eventService: deaf("to-one"),
    caughtBy: ["E-96", "E-97"],
  },
  {
    name: "tells other servers neither of closes nor of what is done",
    eventService: deaf("to-all"),
    caughtBy: ["E-88", "E-101"],
  },
  {
    name: "waits ten times as long for an ack as it says",
    eventService: withOptions(({ ackTimeoutMs = 5_000 }) => ({ ackTimeoutMs: ackTimeoutMs * 10 })),
    caughtBy: ["E-51"],
  },
  {
    name: "hands over the user token as the ack token, if there is one",
    eventService: withService((real) => {
      const tokens = new Map<string, string>();
      return {
        subscribe: (clientId, sink, options) =>
          real.subscribe(
            clientId,
            {
              deliver(event) {
                const { ackToken, userToken } = event;
                if (userToken === "") return sink.deliver(event);
                tokens.set(userToken, ackToken);
                return sink.deliver({ ...event, ackToken: userToken });
              },
              end: () => sink.end?.(),
            },
            options,
          ),
        ack: (token, success) => real.ack(tokens.get(token) ?? token, success),
      };
    }),
    caughtBy: ["E-49", "E-50", "E-54", "E-70"],
  },
  {
    name: "takes a late ack for the attempt that is on",
    eventService: withService((real) => {
      const latest = new Map<string, string>();
      const byToken = new Map<string, string>();
      return {
        subscribe: (clientId, sink, options) =>
          real.subscribe(
            clientId,
            {
              deliver(event) {
                const body = event.body.join();
                latest.set(body, event.ackToken);
                byToken.set(event.ackToken, body);
                return sink.deliver(event);
              },
              end: () => sink.end?.(),
            },
            options,
          ),
        ack: (token, success) => real.ack(latest.get(byToken.get(token) ?? "") ?? token, success),
      };
    }),
    caughtBy: ["E-52", "E-70"],
  },
  {
    name: "rejects acks that it does not know",
    eventService: withService((real) => ({
      async ack(token, success) {
        const outcome = await real.ack(token, success);
        if (outcome !== "acked" && outcome !== "nacked") throw new Error(`an ack that is ${outcome}`);
        return outcome;
      },
    })),
    caughtBy: ["E-47", "E-52", "E-53", "E-54"],
  },
];
