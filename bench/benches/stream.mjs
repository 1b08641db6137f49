/** @type {readonly import("../report/judge.mjs").Comparison[]} */
export const comparisons = [
  {
    name: "stream",
    title: "stream: one request, 10,000 responses of 1 KiB; with flow control by fairlead only",
    work: "stream",
    subjects: ["amqplib", "fairlead", "nest", "moleculer"],
    settings: { bytes: 1_024, responses: 10_000, callers: 1, streams: 6 },
    needsBroker: true,
    targets: [{ id: "P3", measure: "perSecond", says: "responses per second", beside: "raw", least: 0.95 }],
  },
  {
    name: "streams",
    title: "streams: 500 responses of 100 B each, 4 at once",
    work: "stream",
    subjects: ["amqplib", "fairlead"],
    settings: { bytes: 100, responses: 500, callers: 4, streams: 120 },
    needsBroker: true,
    // The original, over ActiveMQ, did 8,000 to 15,000.
    targets: [{ id: "P10", measure: "perSecond", says: "responses per second", least: 30_000 }],
  },
];
