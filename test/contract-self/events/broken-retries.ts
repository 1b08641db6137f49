import type { EventService } from "../../../src/events/index.js";
import type { Messaging } from "../../../src/index.js";
import { withChanges } from "../with-changes.js";
import { type BrokenEventService, withEvents, withOptions, withService } from "./broken-event-service.js";

/** Counts its subscribers, and is told when the first comes and the last has gone. */
function countingSubscribers(onChange: (subscribers: number) => void) {
  let subscribers = 0;
  return (real: EventService): Partial<EventService> => ({
    subscribe(clientId, sink, options) {
      const subscription = real.subscribe(clientId, sink, options);
      subscribers += 1;
      onChange(subscribers);
      void subscription.closed.then(() => {
        subscribers -= 1;
        onChange(subscribers);
      });
      return subscription;
    },
  });
}

/** As the original: with nobody there, each event takes its steps all the same. */
const burnsAttempts = withService((real, { messaging, queue = "events", retryScheduleMs = [] }) => {
  const consumer = messaging.queue(queue).consume(
    async ({ attempt }) => {
      const retryInMs = retryScheduleMs[attempt - 1];
      return retryInMs === undefined ? "dead-letter" : { retryInMs };
    },
    { maxAttempts: Number.POSITIVE_INFINITY },
  );
  consumer.catch(() => undefined);
  const setConcurrency = (subscribers: number): void =>
    void consumer.then((live) => live.setConcurrency(subscribers === 0 ? 1 : 0)).catch(() => undefined);
  return countingSubscribers(setConcurrency)(real);
});

/** When an event is tried again, and given up. */
export const brokenRetries: readonly BrokenEventService[] = [
  {
    name: "uses attempts while nobody subscribes",
    eventService: burnsAttempts,
    caughtBy: ["E-29", "E-30"],
  },
  {
    name: "tries again before the schedule says so",
    eventService: withOptions(({ retryScheduleMs = [] }) => ({
      retryScheduleMs: retryScheduleMs.map((ms) => ms * 0.3),
    })),
    caughtBy: ["E-48", "E-51", "E-60", "E-61"],
  },
  {
    name: "knows one step of the schedule only",
    eventService: withOptions(({ retryScheduleMs = [] }) => ({ retryScheduleMs: retryScheduleMs.slice(0, 1) })),
    caughtBy: ["E-49", "E-50", "E-60", "E-63", "E-66"],
  },
  {
    name: "loses the user token with the first retry",
    eventService: withEvents((event) => (event.attempt === 1 ? event : { ...event, userToken: "" })),
    caughtBy: ["E-49", "E-50", "E-61"],
  },
  {
    name: "takes each loss for a failed attempt",
    eventService: withOptions(() => ({ lossesPerStep: 1 })),
    caughtBy: ["E-70", "E-71", "E-72"],
  },
  {
    name: "lets an event go round for ever that fells its subscribers",
    eventService: withOptions(() => ({ lossesPerStep: 1_000 })),
    caughtBy: ["E-72", "E-74"],
  },
  {
    name: "tells no dead letter's reasons",
    eventService: withOptions(({ messaging }) => {
      const queue = (name: string, options = {}) => {
        const real = messaging.queue(name, options);
        return withChanges(real, {
          consume: (handler, given) =>
            real.consume(async (delivery) => {
              const settlement = await handler(delivery);
              return typeof settlement === "object" && "deadLetter" in settlement
                ? "dead-letter"
                : (settlement ?? "ack");
            }, given),
        });
      };
      return { messaging: withChanges(messaging, { queue: queue as Messaging["queue"] }) };
    }),
    caughtBy: ["E-63"],
  },
];
