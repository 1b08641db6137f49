/** @type {(queue: string, callers: number, id: string, least: number) => import("../report/judge.mjs").Comparison} */
const post = (queue, callers, id, least) => ({
  name: `grpc-${queue}-${callers}`,
  title: `gRPC: unary PostEvent on ${queue}, ${callers} callers; beside a server of grpc-js that does nothing`,
  work: "post",
  subjects: ["grpc-js", queue],
  ours: queue,
  settings: { operations: callers < 100 ? 6_000 : 8_000, callers },
  targets: [{ id, measure: "perSecond", says: "posts per second", beside: "raw", least }],
});

export const comparisons = [
  post("memory", 16, "P5", 0.85),
  post("memory", 256, "P5", 0.85),
  post("sqlite", 256, "P6", 0.6),
];
