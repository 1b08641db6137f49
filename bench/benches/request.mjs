const LEAST = { 1: 0.9, 16: 0.9, 256: 0.85 };
const OPERATIONS = { 1: 3_000, 16: 15_000, 256: 20_000 };

/** The original, over ActiveMQ, did 2,700 to 2,900 with 16 callers: three times that. */
const FLOOR = { id: "P10", measure: "perSecond", says: "requests per second", least: 8_700 };

/** @type {readonly import("../report/judge.mjs").Comparison[]} */
export const comparisons = [1, 16, 256].map((callers) => ({
  name: `request-${callers}`,
  title: `request: a request and its reply, 100 B each, ${callers} at once`,
  work: "request",
  subjects: ["amqplib", "fairlead", "rabbitmq-client", "nest", "moleculer"],
  settings: { operations: OPERATIONS[callers], callers },
  needsBroker: true,
  targets: [
    { id: "P2", measure: "perSecond", says: "requests per second", beside: "raw", least: LEAST[callers] },
    ...(callers === 16 ? [FLOOR] : []),
  ],
}));
