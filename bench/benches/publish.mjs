/** @type {readonly import("../report/judge.mjs").Comparison[]} */
export const comparisons = [
  {
    name: "publish",
    title: "publish: durable, confirmed, consumed and acknowledged; 1 KiB, window 256, prefetch 200",
    work: "publish",
    subjects: ["amqplib", "fairlead", "rabbitmq-client", "amqp-connection-manager", "nest"],
    settings: { operations: 30_000, bytes: 1_024, queueType: "classic" },
    needsBroker: true,
    targets: [
      { id: "P1", measure: "perSecond", says: "messages per second", beside: "raw", least: 1.1 },
      { id: "P1", measure: "cpuMicros", says: "CPU per message", beside: "raw", most: 1 },
    ],
  },
];
