import { type BrokenEventService, withEvents, withService } from "./broken-event-service.js";

/** What is posted. */
export const brokenPosts: readonly BrokenEventService[] = [
  {
    name: "drops nanoseconds",
    eventService: withEvents((event) => {
      const { effectiveDate } = event;
      return effectiveDate === undefined ? event : { ...event, effectiveDate: { ...effectiveDate, nanos: 0 } };
    }),
    caughtBy: ["E-01", "E-04", "E-06"],
  },
  {
    name: "rounds keys as numbers do",
    eventService: withEvents((event) => ({ ...event, searchKey1: BigInt(Number(event.searchKey1)) })),
    caughtBy: ["E-01"],
  },
  {
    name: "delivers what is due later at once",
    eventService: withService((real) => ({
      post: ({ effectiveDate: _, ...event }, options) => real.post(event, options),
    })),
    caughtBy: ["E-04"],
  },
  {
    name: "answers a post before the broker has it",
    eventService: withService((real) => ({
      async post(event, options) {
        real.post(event, options).catch(() => undefined);
      },
    })),
    caughtBy: ["E-07", "E-09", "E-11", "E-17", "E-18"],
  },
  {
    name: "takes posts that look alike for one",
    eventService: withService((real) => ({
      post: (event, options) => real.post(event, { postId: `body ${event.body.join()}`.slice(0, 200), ...options }),
    })),
    caughtBy: ["E-16"],
  },
  {
    name: "forgets post ids",
    eventService: withService((real) => ({ post: (event) => real.post(event) })),
    caughtBy: ["E-15", "E-17", "E-22"],
  },
];
