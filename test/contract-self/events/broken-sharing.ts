import { createEventService, type EventSink } from "../../../src/events/index.js";
import { withChanges } from "../with-changes.js";
import { type BrokenEventService, withOptions, withService, withSinks } from "./broken-event-service.js";

/** Who gets which event, and how many of them. */
export const brokenSharing: readonly BrokenEventService[] = [
  {
    name: "delivers each event twice",
    eventService: withSinks((sink) => ({
      async deliver(event) {
        await sink.deliver(event);
        return sink.deliver(event);
      },
      end: () => sink.end?.(),
    })),
    caughtBy: ["E-25", "E-36", "E-45", "E-112"],
  },
  {
    name: "gives each event to the newest subscriber too",
    eventService: (options) => {
      const sinks: EventSink[] = [];
      return withSinks((sink) => {
        sinks.push(sink);
        return {
          deliver(event) {
            const newest = sinks.at(-1);
            if (newest !== undefined && newest !== sink) void newest.deliver(event);
            return sink.deliver(event);
          },
          end: () => sink.end?.(),
        };
      })(options);
    },
    caughtBy: ["E-25", "E-26"],
  },
  {
    name: "gives the first subscriber everything",
    eventService: withService((real) => {
      let first = true;
      return {
        subscribe(clientId, sink, options) {
          const credit = first ? 1_000 : 0;
          first = false;
          return real.subscribe(clientId, sink, { ...options, credit });
        },
      };
    }),
    caughtBy: ["E-25", "E-26", "E-27", "E-36"],
  },
  {
    name: "hands over without regard to credit",
    eventService: withService((real) => ({
      subscribe: (clientId, sink, options) => real.subscribe(clientId, sink, { ...options, credit: 1_000 }),
    })),
    caughtBy: ["E-36", "E-37", "E-38", "E-39", "E-40", "E-41", "E-42"],
  },
  {
    name: "never lets the credit grow",
    eventService: withOptions(({ creditPerSubscriber = 3 }) => ({ maxCreditPerSubscriber: creditPerSubscriber })),
    caughtBy: ["E-37", "E-38"],
  },
  {
    name: "holds up everybody while one subscriber does not answer",
    eventService: (options) => {
      let held: Promise<void> = Promise.resolve();
      let release: () => void = () => {};
      const real = createEventService(options);
      return withChanges(real, {
        subscribe: (clientId, sink, given) =>
          real.subscribe(
            clientId,
            {
              async deliver(event) {
                await held;
                held = new Promise((resolve) => {
                  release = resolve;
                });
                return sink.deliver(event);
              },
              end: () => sink.end?.(),
            },
            given,
          ),
        ack(token, success) {
          release();
          return real.ack(token, success);
        },
      });
    },
    caughtBy: ["E-26", "E-27", "E-28"],
  },
];
