import type { DeliveredEvent } from "../../../src/events/index.js";
import { type BrokenEventService, withOptions, withService } from "./broken-event-service.js";

/** How subscribers come and go, and the service with them. */
export const brokenStreams: readonly BrokenEventService[] = [
  {
    name: "never forgets subscribers",
    eventService: withService((real) => ({
      subscribe(clientId, sink, options) {
        real.subscribe(`${clientId} still`, { deliver: async () => true }, { credit: 0 });
        return real.subscribe(clientId, sink, options);
      },
    })),
    caughtBy: ["E-120", "E-124", "E-125"],
  },
  {
    name: "takes what a subscriber held for done when it is gone",
    eventService: withService((real) => ({
      subscribe(clientId, sink, options) {
        const held: string[] = [];
        options?.signal?.addEventListener("abort", () => {
          for (const token of held) void real.ack(token, true);
        });
        const deliver = (event: DeliveredEvent): boolean | Promise<boolean> => {
          held.push(event.ackToken);
          return sink.deliver(event);
        };
        return real.subscribe(clientId, { deliver, end: () => sink.end?.() }, options);
      },
    })),
    caughtBy: ["E-70", "E-71"],
  },
  {
    name: "ends the streams of other clients with one that is closed",
    eventService: withService((real) => {
      const ids = new Set<string>();
      return {
        subscribe(clientId, sink, options) {
          ids.add(clientId);
          return real.subscribe(clientId, sink, options);
        },
        closeClient: async () => void (await Promise.all([...ids].map((id) => real.closeClient(id)))),
      };
    }),
    caughtBy: ["E-87", "E-88"],
  },
  {
    name: "ends whoever has a client's name when one of its streams is cancelled",
    eventService: withService((real) => ({
      subscribe(clientId, sink, options = {}) {
        options.signal?.addEventListener("abort", () => void real.closeClient(clientId));
        return real.subscribe(clientId, sink, { credit: options.credit });
      },
    })),
    caughtBy: ["E-76"],
  },
  {
    name: "does not hear that a subscriber is gone",
    eventService: withService((real) => ({
      subscribe: (clientId, sink, { signal: _, ...options } = {}) => real.subscribe(clientId, sink, options),
    })),
    caughtBy: ["E-70", "E-71", "E-72", "E-120"],
  },
  {
    name: "lets a fight for a name go on at full speed",
    eventService: withOptions(() => ({ subscribeIntervalMs: 0 })),
    caughtBy: ["E-77", "E-78"],
  },
  {
    name: "makes every client wait for its turn",
    eventService: withOptions(({ queue = "" }) => (queue.startsWith("turn") ? { deliver: false } : {})),
    caughtBy: ["E-78", "E-79"],
  },
  {
    name: "resolves closeClient before the stream has ended",
    eventService: withService((real) => ({
      async closeClient(clientId) {
        setTimeout(() => void real.closeClient(clientId), 300);
      },
    })),
    caughtBy: ["E-85", "E-88"],
  },
  {
    name: "waits for no ack at its close",
    eventService: withService((real) => ({ close: () => real.close({ drainMs: 0 }) })),
    // Not E-112 for certain: whether what it gives back reaches somebody else in time is a race.
    caughtBy: ["E-110"],
  },
  {
    name: "goes on while it closes",
    eventService: withService((real) => ({
      async close(options) {
        await new Promise((resolve) => setTimeout(resolve, (options?.drainMs ?? 0) / 4));
        await real.close(options);
      },
    })),
    caughtBy: ["E-112", "E-113"],
  },
];
