/** @type {readonly import("../report/judge.mjs").Comparison[]} */
export const comparisons = [
  {
    name: "memory",
    title: "memory: publish, confirm, handle, ack; 100 B, window 256; beside a ring and a promise for each message",
    work: "memory",
    subjects: ["ring", "fairlead"],
    settings: { operations: 600_000 },
    settingsOf: { ring: { operations: 3_000_000 } },
    targets: [{ id: "P9", measure: "perSecond", says: "messages per second", beside: "raw", least: 0.25 }],
  },
];
