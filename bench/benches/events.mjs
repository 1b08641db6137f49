/** @type {readonly import("../report/judge.mjs").Comparison[]} */
export const comparisons = [
  {
    name: "events-deliver",
    title:
      "events that wait on sqlite, to 4 subscribers over gRPC, acknowledged one by one; beside an array behind grpc-js",
    work: "deliver",
    subjects: ["grpc-js", "sqlite"],
    ours: "sqlite",
    settings: { operations: 8_000 },
    targets: [{ id: "P6", measure: "perSecond", says: "delivered and acknowledged per second", least: 3_000 }],
  },
  {
    name: "events-stream",
    title:
      "one PostEvents stream on sqlite, 1 KiB, with post ids; beside append, take, delete of raw SQLite in groups of 256",
    work: "events",
    subjects: ["better-sqlite3", "fairlead", "fairlead-no-ids"],
    settings: { operations: 40_000 },
    settingsOf: { "better-sqlite3": { operations: 100_000 } },
    targets: [
      { id: "P7", measure: "perSecond", says: "events per second", least: 25_000, atRaw: 80_000 },
      { id: "P7", measure: "perSecond", says: "events per second", beside: "raw", least: 0.3125 },
    ],
  },
];
