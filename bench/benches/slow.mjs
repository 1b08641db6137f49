/** @type {readonly import("../report/judge.mjs").Comparison[]} */
export const comparisons = [
  {
    name: "slow",
    title: "slow: a reader that takes 1 ms for each of 100,000 responses of 1 KiB, stopped after 12 s; growth in MB",
    work: "slow",
    subjectsOf: "stream",
    subjects: ["amqplib", "fairlead", "nest", "moleculer"],
    settings: { bytes: 1_024, responses: 100_000, seconds: 12 },
    needsBroker: true,
    needsFreshBroker: true,
    maxRounds: 2,
    limitMs: 60_000,
    targets: [
      { id: "P4", measure: "megabytes", says: "growth of client and server in MB", most: 40, isPeak: true },
      { id: "P4", measure: "brokerMegabytes", says: "growth of the broker in MB", most: 40, isPeak: true },
    ],
  },
];
