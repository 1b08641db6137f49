/** @type {readonly import("../report/judge.mjs").Comparison[]} */
export const comparisons = [
  {
    name: "sqlite",
    title:
      "sqlite: publish, confirm, handle, ack; 1 KiB, durable, 256 in flight; beside append, take, delete in groups of 256",
    work: "sqlite",
    subjects: ["better-sqlite3", "fairlead", "fairlead-no-history"],
    settings: { operations: 50_000 },
    settingsOf: { "better-sqlite3": { operations: 100_000 } },
    targets: [{ id: "P8", measure: "perSecond", says: "messages per second", beside: "raw", least: 0.6 }],
  },
];
