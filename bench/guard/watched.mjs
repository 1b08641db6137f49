/** Of the warm-up and of what is measured: on a busy machine fewer operations say as much. */
const LIMIT_MS = 8_000;

/**
 * What the guard watches: the measure of ours beside that of the raw subject. Only works that need neither RabbitMQ nor the
 * packages of bench/, so that they run wherever the tests do; short, since CPU is compared and not rates.
 * @typedef {import("../report/judge.mjs").Comparison & { measure: string }} Watched
 */

/** @type {readonly Watched[]} */
export const WATCHED = [
  {
    name: "memory",
    title: "publish, confirm, handle, ack on memory, beside a ring",
    work: "memory",
    subjects: ["ring", "fairlead"],
    settings: { operations: 1_500_000, warmUp: 200_000, limitMs: LIMIT_MS },
    settingsOf: { ring: { operations: 3_000_000 } },
    measure: "cpuMicros",
    targets: [],
  },
  {
    name: "sqlite",
    title: "the same on sqlite, beside raw cycles of the binding",
    work: "sqlite",
    subjects: ["better-sqlite3", "fairlead"],
    settings: { operations: 60_000, warmUp: 15_000, limitMs: LIMIT_MS },
    settingsOf: { "better-sqlite3": { operations: 100_000 } },
    measure: "cpuMicros",
    targets: [],
  },
  {
    name: "grpc",
    title: "the server's part of a unary PostEvent, beside a bare grpc-js server",
    work: "post",
    subjects: ["grpc-js", "memory"],
    ours: "memory",
    settings: { operations: 6_000, warmUp: 1_500, callers: 256, limitMs: LIMIT_MS },
    measure: "serverMicros",
    targets: [],
  },
];
