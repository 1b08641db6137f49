const CPU = { key: "cpuMicros", exponent: 0, floor: 1 };
const KEPT = { key: "keptMegabytes", says: "memory kept, MB", exponent: 1, floor: 0.3 };
const P99 = { key: "p99Ms", exponent: 1, floor: 1 };
const decades = (/** @type {number} */ from, /** @type {number} */ to) =>
  Array.from({ length: Math.round(Math.log10(to / from)) + 1 }, (_, index) => from * 10 ** index);

/** @type {readonly import("../growth/judge-growth.mjs").Curve[]} */
export const curves = [
  {
    name: "calls-idle",
    title: "calls that are open and do nothing, while 4 callers call others",
    unit: "open calls",
    sizes: decades(10, 10_000),
    subjects: ["memory", "rabbitmq"],
    measures: [
      { ...CPU, says: "CPU of another call, µs" },
      { key: "ownMicros", says: "the same without what idling costs, µs", floor: 1 },
      { ...P99, says: "p99 of another call, ms" },
      KEPT,
      { key: "idleMillis", says: "CPU when nothing is called, ms/s", exponent: 1, floor: 1 },
    ],
  },
  {
    name: "calls-active",
    title: "callers that each call again as soon as they have their answer",
    unit: "callers",
    sizes: decades(10, 10_000),
    subjects: ["memory", "rabbitmq"],
    measures: [
      { ...CPU, says: "CPU of a call, both ends, µs" },
      { ...P99, says: "p99 of a call, ms" },
      { key: "peakMegabytes", says: "peak of the process, MB", exponent: 1, floor: 1 },
    ],
  },
  {
    name: "subscribers",
    title: "subscribers that share the events",
    unit: "subscribers",
    sizes: decades(1, 1_000),
    subjects: ["memory", "sqlite"],
    measures: [{ ...CPU, says: "CPU of an event, µs" }, { ...P99, says: "p99 from post to subscriber, ms" }, KEPT],
  },
  {
    name: "listeners",
    title: "listeners of one broadcast",
    unit: "listeners",
    sizes: decades(1, 1_000),
    subjects: ["memory"],
    measures: [{ ...CPU, says: "CPU of a delivery, µs" }, { ...P99, says: "p99 from publish to listener, ms" }, KEPT],
  },
  {
    name: "queues",
    title: "queues, each with a consumer, that share the messages",
    unit: "queues",
    sizes: decades(1, 1_000),
    subjects: ["memory", "sqlite"],
    measures: [{ ...CPU, says: "CPU of a message, µs" }, { ...P99, says: "p99 from publish to handler, ms" }, KEPT],
  },
  {
    name: "message-size",
    title: "the size of a message: publish, confirm, handle, ack; 16 in flight",
    unit: "bytes",
    sizes: [...decades(100, 100_000), 1_048_576],
    subjects: ["memory", "sqlite"],
    measures: [
      { ...CPU, says: "CPU of a message, µs", exponent: 1 },
      { ...P99, says: "p99 from publish to handler, ms" },
    ],
  },
  {
    name: "backlog",
    title: "messages that wait, while one is handled for each that is published",
    unit: "messages waiting",
    sizes: decades(10, 1_000_000),
    subjects: ["memory", "sqlite"],
    measures: [{ ...CPU, says: "CPU of a message, µs" }, { ...P99, says: "p99 of a publish, ms" }, KEPT],
  },
];

/** Growth is judged by slopes, not beside others. */
export const comparisons = [];
